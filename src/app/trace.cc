#include "app/trace.h"

#include <zlib.h>

#include <boost/json.hpp>
#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "base/utf8.h"
#include "rga/document.h"

namespace weft::app {
namespace {

namespace json = boost::json;

constexpr std::size_t read_chunk_bytes = std::size_t{256} << 10;
constexpr std::size_t max_depth = 8;  // the format needs 5

Error bad(std::string message) { return {ErrorClass::invalid, "bad_trace", std::move(message)}; }

/// What an errno says.
std::string describe(int number) { return std::generic_category().message(number); }

/// gzip or plain: zlib tells them apart.
class PackedFile {
 public:
  static Result<PackedFile> open(const std::string& path) {
    PackedFile file;
    errno = 0;
    file.file_.reset(gzopen(path.c_str(), "rb"));
    if (!file.file_) {
      const int reason = errno != 0 ? errno : ENOMEM;
      return Error{ErrorClass::not_found, "no_trace", "cannot be opened: " + describe(reason)};
    }
    return file;
  }

  /// Bytes read; 0 at the end.
  Result<std::size_t> read(char* to, std::size_t size) {
    const int n = gzread(file_.get(), to, static_cast<unsigned>(size));
    int code = Z_OK;
    const char* message = gzerror(file_.get(), &code);
    if (n < 0 && code == Z_ERRNO) {
      return Error{ErrorClass::not_found, "no_trace", "cannot be read: " + describe(errno)};
    }
    if (n < 0) return bad(std::string("damaged gzip data: ") + message);
    // What a cut file still holds was given before; its missing end shows only here.
    if (static_cast<std::size_t>(n) < size && code == Z_BUF_ERROR) {
      return bad("damaged gzip data: the file ends early");
    }
    return static_cast<std::size_t>(n);
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  PackedFile() = default;
  std::unique_ptr<gzFile_s, Close> file_;
};

/// Boost.JSON's exceptions end here: it throws only when memory runs out.
Result<json::value> parse(PackedFile file, const TraceLimits& limits) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::stream_parser parser(json::make_shared_resource<json::monotonic_resource>(), options);
  std::string chunk(read_chunk_bytes, '\0');
  std::size_t total = 0;
  for (;;) {
    auto n = file.read(chunk.data(), chunk.size());
    if (!n.ok()) return n.error();
    if (*n == 0) break;
    total += *n;
    if (total > limits.max_json_bytes) {
      return Error{ErrorClass::too_large, "trace_too_large",
                   "unpacks to more than " + std::to_string(limits.max_json_bytes) + " bytes"};
    }
    boost::system::error_code failed;
    const std::size_t good = parser.write(chunk.data(), *n, failed);
    if (failed) {
      return bad("not JSON, near byte " + std::to_string(total - *n + good) + ": " +
                 failed.message());
    }
  }
  boost::system::error_code failed;
  parser.finish(failed);
  if (failed) return bad("not JSON: " + failed.message());
  return parser.release();
}

class TraceReader {
 public:
  explicit TraceReader(const TraceLimits& limits) : limits_(limits) {}

  Result<Trace> read(const json::value& root) {
    const json::object* object = root.if_object();
    if (object == nullptr) return bad("the file is not a JSON object");
    Status status = read_history(*object);
    if (!status.ok()) return status.error();
    return std::move(trace_);
  }

 private:
  Status read_history(const json::object& object) {
    if (const json::value* kind = object.if_contains("kind")) {
      const json::string* name = kind->if_string();
      if (name == nullptr || *name != "concurrent") {
        return bad("kind is neither missing nor \"concurrent\"");
      }
      trace_.concurrent = true;
      const auto agents = number(object.if_contains("numAgents"), limits_.max_agents);
      if (!agents || *agents == 0) return bad("numAgents is missing or out of range");
      trace_.agents = *agents;
    }
    const auto end = text(object.if_contains("endContent"));
    if (!end || !count_scalars(*end)) {
      return bad("endContent is missing, or is no text without U+0000");
    }
    trace_.end_content = *end;
    const json::value* start = object.if_contains("startContent");
    if (start != nullptr) {
      Status status = read_start(text(start));
      if (!status.ok()) return status;
    }
    const json::value* list = object.if_contains("txns");
    const json::array* transactions = list != nullptr ? list->if_array() : nullptr;
    if (transactions == nullptr) return bad("txns is missing, or is no array");
    for (std::size_t i = 0; i < transactions->size(); ++i) {
      Status status = read_transaction((*transactions)[i], i);
      if (!status.ok()) return status;
    }
    return ok_status();
  }

  Status read_start(const std::optional<std::string_view>& start) {
    const auto count = start ? count_scalars(*start) : std::nullopt;
    if (!count) return bad("startContent is no text without U+0000");
    if (*count == 0) return ok_status();
    starts_ = 1;
    append_patch(0, 0, *start, *count);
    trace_.transactions.push_back({0, 0, 1, 0, 0});
    return ok_status();
  }

  Status read_transaction(const json::value& value, std::size_t i) {
    const std::string place = "txns[" + std::to_string(i) + "]";
    const json::object* object = value.if_object();
    if (object == nullptr) return bad(place + " is no object");
    TraceTransaction transaction;
    transaction.first_parent = trace_.parents.size();
    if (trace_.concurrent) {
      const auto agent = number(object->if_contains("agent"), trace_.agents - 1);
      if (!agent) return bad(place + ".agent is missing or out of range");
      transaction.agent = *agent;
      const json::value* list = object->if_contains("parents");
      const json::array* parents = list != nullptr ? list->if_array() : nullptr;
      if (parents == nullptr) return bad(place + ".parents is missing, or is no array");
      for (const json::value& parent : *parents) {
        const auto index = i > 0 ? number(&parent, i - 1) : std::nullopt;
        if (!index) return bad(place + ".parents does not name earlier transactions only");
        trace_.parents.push_back(*index + starts_);
      }
      if (parents->empty() && starts_ != 0) trace_.parents.push_back(0);
    } else if (!trace_.transactions.empty()) {
      trace_.parents.push_back(static_cast<std::uint32_t>(trace_.transactions.size() - 1));
    }
    transaction.parent_count = trace_.parents.size() - transaction.first_parent;
    transaction.first_patch = trace_.patches.size();
    const json::value* list = object->if_contains("patches");
    const json::array* patches = list != nullptr ? list->if_array() : nullptr;
    if (patches == nullptr) return bad(place + ".patches is missing, or is no array");
    for (std::size_t k = 0; k < patches->size(); ++k) {
      if (!read_patch((*patches)[k])) {
        return bad(place + ".patches[" + std::to_string(k) +
                   "] is not [position, deleted, \"text\"], perhaps with a time, without U+0000");
      }
    }
    transaction.patch_count = patches->size();
    trace_.edits += patches->size();
    trace_.transactions.push_back(transaction);
    return ok_status();
  }

  bool read_patch(const json::value& value) {
    const json::array* parts = value.if_array();
    // The fourth of four says when, as the format's own description has it. Nothing here asks.
    if (parts == nullptr || parts->size() < 3 || parts->size() > 4) return false;
    const auto at = number(&(*parts)[0], rga::max_elements);
    const auto erased = number(&(*parts)[1], rga::max_elements);
    const auto inserted = text(&(*parts)[2]);
    if (!at || !erased || !inserted) return false;
    const auto count = count_scalars(*inserted);
    if (!count) return false;
    append_patch(*at, *erased, *inserted, *count);
    return true;
  }

  void append_patch(std::uint32_t at, std::uint32_t erased, std::string_view inserted,
                    std::size_t count) {
    trace_.patches.push_back(
        {at, erased, static_cast<std::uint32_t>(count), trace_.text_pool.size(), inserted.size()});
    trace_.text_pool.append(inserted);
  }

  static std::optional<std::uint32_t> number(const json::value* value, std::uint64_t max) {
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    const std::int64_t n = value->get_int64();
    if (n < 0 || static_cast<std::uint64_t>(n) > max) return std::nullopt;
    return static_cast<std::uint32_t>(n);
  }

  static std::optional<std::string_view> text(const json::value* value) {
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string_view(value->get_string().data(), value->get_string().size());
  }

  const TraceLimits& limits_;
  Trace trace_;
  std::uint32_t starts_ = 0;  // transactions that stand for startContent
};

}  // namespace

Result<Trace> read_trace(const std::string& path, const TraceLimits& limits) {
  auto file = PackedFile::open(path);
  if (!file.ok()) return file.error();
  auto root = parse(std::move(file).value(), limits);
  if (!root.ok()) return root.error();
  return TraceReader(limits).read(*root);
}

}  // namespace weft::app

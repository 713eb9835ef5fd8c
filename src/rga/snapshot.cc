#include "rga/snapshot.h"

#include <algorithm>

#include "base/check.h"
#include "base/checksum.h"
#include "base/codec.h"
#include "base/utf8.h"
#include "rga/lz4.h"

namespace weft::rga {
namespace {

constexpr std::string_view magic = "WEFT";
constexpr std::uint8_t format_version = 2;
constexpr std::uint8_t format_with_purges = 3;  // says after ssn how many elements were purged
constexpr std::size_t checksum_bytes = 8;

Error bad(const char* what) { return {ErrorClass::corrupt, "bad_snapshot", what}; }

/// Reads (value, how often) pairs one value at a time.
class RunLengthReader {
 public:
  explicit RunLengthReader(std::string_view bytes) : in_(bytes) {}

  std::uint64_t next() {
    if (left_ == 0) {
      value_ = in_.varint();
      left_ = in_.varint();
      if (left_ == 0) in_.fail();
    }
    --left_;
    return value_;
  }
  bool finished() const { return !in_.failed() && in_.at_end() && left_ == 0; }

 private:
  ByteReader in_;
  std::uint64_t value_ = 0;
  std::uint64_t left_ = 0;
};

/// One stable counting pass of a radix sort: orders `order` by digit(element). O(n + 2^bits).
template <class Digit>
void counting_pass(std::vector<std::uint32_t>& order, std::vector<std::uint32_t>& scratch,
                   std::size_t digits, Digit&& digit) {
  std::vector<std::uint32_t> start(digits + 1, 0);
  for (const std::uint32_t i : order) ++start[digit(i) + 1];
  for (std::size_t d = 1; d < start.size(); ++d) start[d] += start[d - 1];
  scratch.resize(order.size());
  for (const std::uint32_t i : order) scratch[start[digit(i)]++] = i;
  order.swap(scratch);
}

/// The runs by (site, seq). A radix sort, because this is most of the time that loading takes.
std::vector<std::uint32_t> order_by_id(const Snapshot& snapshot) {
  constexpr unsigned digit_bits = 11;
  constexpr std::uint64_t digit_mask = (1u << digit_bits) - 1;
  const auto& runs = snapshot.runs;
  std::vector<std::uint32_t> order(runs.size());
  std::vector<std::uint32_t> scratch;
  std::uint64_t greatest = 0;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    greatest = std::max(greatest, runs[i].seq);
  }
  for (unsigned shift = 0; greatest >> shift != 0; shift += digit_bits) {
    counting_pass(order, scratch, digit_mask + 1, [&](std::uint32_t i) {
      return static_cast<std::size_t>(runs[i].seq >> shift & digit_mask);
    });
  }
  if (snapshot.sites.size() > 1) {
    counting_pass(order, scratch, snapshot.sites.size(),
                  [&](std::uint32_t i) { return std::size_t{runs[i].site}; });
  }
  return order;
}

/// No id twice, and within a site a greater seq has a greater sum: keys are then unique.
bool ids_are_distinct(const Snapshot& snapshot) {
  for (std::size_t i = 1; i < snapshot.by_id.size(); ++i) {
    const Snapshot::RunEntry& a = snapshot.runs[snapshot.by_id[i - 1]];
    const Snapshot::RunEntry& b = snapshot.runs[snapshot.by_id[i]];
    if (a.site != b.site) continue;
    if (a.seq + a.len > b.seq || a.sum + a.len > b.sum) return false;
  }
  return true;
}

/// Packed text is shorter than it was: bytes of the same number are the text itself.
bool unpack_text(std::uint64_t size, Snapshot& snapshot) {
  if (snapshot.text.size() > size || size > lz4_max_ratio * snapshot.text.size()) return false;
  snapshot.unpacked = std::unique_ptr<char[]>(new char[static_cast<std::size_t>(size)]);
  char* const out = snapshot.unpacked.get();
  if (!lz4_decompress(snapshot.text, out, static_cast<std::size_t>(size))) return false;
  snapshot.text = {out, static_cast<std::size_t>(size)};
  return true;
}

}  // namespace

// Layout: magic, version, then
//   ssn · purged elements (format 3 only) · site count, per site: sid, seq, last_sum - seq · run
//   count sized columns: site (run-length), len << 1 | tombstone, seq, lag (run-length), updates
//   size of the text, sized text: as it is, or as an LZ4 block when that is shorter
//   checksum64 of everything before it

void SnapshotWriter::RunLengths::add(std::uint64_t v) {
  if (count > 0 && v == value) {
    ++count;
    return;
  }
  close();
  value = v;
  count = 1;
}

void SnapshotWriter::RunLengths::close() {
  if (count == 0) return;
  ByteWriter out(bytes);
  out.varint(value);
  out.varint(count);
  count = 0;
}

SnapshotWriter::SnapshotWriter(std::uint64_t ssn, std::uint64_t purged, const RunTable& runs)
    : ssn_(ssn), purged_(purged) {
  for (std::uint32_t i = 0; i < runs.site_count(); ++i) {
    const RunTable::Site& site = runs.site(i);
    if (site.seq > 0) sites_.push_back({site.sid, site.seq, site.last_sum});
  }
  std::sort(sites_.begin(), sites_.end(),
            [](const Snapshot::Site& a, const Snapshot::Site& b) { return a.sid < b.sid; });
}

std::uint32_t SnapshotWriter::site_index(std::uint64_t sid) {
  if (sites_[last_site_].sid != sid) {
    const auto it =
        std::lower_bound(sites_.begin(), sites_.end(), sid,
                         [](const Snapshot::Site& site, std::uint64_t s) { return site.sid < s; });
    WEFT_CHECK(it != sites_.end() && it->sid == sid);
    last_site_ = static_cast<std::uint32_t>(it - sites_.begin());
  }
  return last_site_;
}

void SnapshotWriter::add(const RunView& run) {
  ++run_count_;
  site_column_.add(site_index(run.first.sid));
  ByteWriter(len_column_).varint(std::uint64_t{run.len} << 1 | (run.tombstone ? 1 : 0));
  ByteWriter(seq_column_).zigzag_varint(static_cast<std::int64_t>(run.first.seq - next_seq_));
  next_seq_ = run.first.seq + run.len;
  const std::uint64_t lag = run.first.sum - run.first.seq;
  lag_column_.add(zigzag(static_cast<std::int64_t>(lag - last_lag_)));
  last_lag_ = lag;
  text_.append(run.text);
}

void SnapshotWriter::add_update(ElementId element, const Key& key) {
  ++update_count_;
  ByteWriter out(update_column_);
  out.varint(element.sid);
  out.varint(element.seq);
  out.varint(key.sum);
  out.varint(key.sid);
}

void SnapshotWriter::finish(std::string& out) {
  site_column_.close();
  lag_column_.close();
  const std::size_t begin = out.size();
  out.reserve(begin + len_column_.size() + seq_column_.size() + lag_column_.bytes.size() +
              text_.size() + 64 + sites_.size() * 16);
  ByteWriter writer(out);
  writer.bytes(magic);
  writer.u8(purged_ == 0 ? format_version : format_with_purges);
  writer.varint(ssn_);
  if (purged_ > 0) writer.varint(purged_);
  writer.varint(sites_.size());
  for (const Snapshot::Site& site : sites_) {
    writer.varint(site.sid);
    writer.varint(site.seq);
    writer.varint(site.last_sum - site.seq);
  }
  writer.varint(run_count_);
  writer.sized_bytes(site_column_.bytes);
  writer.sized_bytes(len_column_);
  writer.sized_bytes(seq_column_);
  writer.sized_bytes(lag_column_.bytes);
  writer.varint(update_count_);
  writer.sized_bytes(update_column_);
  writer.varint(text_.size());
  std::string packed;
  lz4_compress(text_, packed);
  writer.sized_bytes(packed.size() < text_.size() ? packed : text_);
  writer.u64_le(checksum64(std::string_view(out).substr(begin)));
}

Result<Snapshot> parse_snapshot(std::string_view bytes) {
  if (bytes.size() < magic.size() + 1 + checksum_bytes || !bytes.starts_with(magic)) {
    return bad("not a snapshot");
  }
  const std::string_view body = bytes.substr(0, bytes.size() - checksum_bytes);
  ByteReader checksum(bytes.substr(body.size()));
  if (checksum.u64_le() != checksum64(body)) return bad("checksum mismatch");
  ByteReader in(body.substr(magic.size()));
  const std::uint8_t version = in.u8();
  if (version != format_version && version != format_with_purges) {
    return bad("unknown format version");
  }

  Snapshot snapshot;
  snapshot.ssn = in.varint_max(max_integer);
  if (version == format_with_purges) {
    snapshot.purged = in.varint_max(max_integer);
    if (snapshot.purged == 0) return bad("purged elements are not counted");
  }
  const std::uint64_t site_count = in.varint_max(std::min<std::uint64_t>(
      RunTable::max_sites - 1, in.remaining() / 3));  // three bytes a site at least
  std::uint64_t total = 0;
  std::uint64_t last_sid = 0;
  snapshot.sites.reserve(static_cast<std::size_t>(site_count));
  for (std::uint64_t i = 0; i < site_count; ++i) {
    Snapshot::Site site{};
    site.sid = in.varint_max(max_integer);
    site.seq = in.varint_max(max_integer);
    site.last_sum = site.seq + in.varint_max(max_integer);
    if (in.failed() || site.sid <= last_sid || site.seq == 0) return bad("bad site");
    last_sid = site.sid;
    total += site.seq;
    if (total > max_integer) return bad("sum out of range");
    snapshot.sites.push_back(site);
  }
  for (const Snapshot::Site& site : snapshot.sites) {
    if (site.last_sum > total) return bad("a site's last sum is out of range");
  }
  const std::uint64_t run_count = in.varint_max(in.remaining());  // a byte of len a run at least
  const std::size_t anything = body.size();
  RunLengthReader site_column(in.sized_bytes(anything));
  ByteReader len_column(in.sized_bytes(anything));
  ByteReader seq_column(in.sized_bytes(anything));
  RunLengthReader lag_column(in.sized_bytes(anything));
  const std::uint64_t update_count = in.varint_max(in.remaining());
  ByteReader update_column(in.sized_bytes(anything));
  const std::uint64_t text_size = in.varint_max(lz4_max_ratio * std::uint64_t{anything});
  snapshot.text = in.sized_bytes(anything);
  if (in.failed() || !in.at_end()) return bad("truncated");
  if (snapshot.text.size() != text_size && !unpack_text(text_size, snapshot)) {
    return bad("malformed text");
  }
  if (run_count > len_column.remaining()) return bad("more runs than lengths");

  snapshot.runs.resize(static_cast<std::size_t>(run_count));
  const Snapshot::RunEntry* before = nullptr;
  std::uint64_t elements = 0;
  std::uint64_t next_seq = 0;
  std::uint64_t lag = 0;
  for (Snapshot::RunEntry& run : snapshot.runs) {
    const std::uint64_t site_index = site_column.next();
    const std::uint64_t len = len_column.varint_max(std::uint64_t{max_elements} << 1 | 1);
    const std::uint64_t seq = next_seq + static_cast<std::uint64_t>(seq_column.zigzag_varint());
    lag += static_cast<std::uint64_t>(unzigzag(lag_column.next()));
    if (len_column.failed() || seq_column.failed()) return bad("truncated column");
    if (site_index >= snapshot.sites.size()) return bad("run of an unknown site");
    run.site = static_cast<std::uint32_t>(site_index);
    run.len = static_cast<std::uint32_t>(len >> 1);
    run.seq = seq;
    run.sum = seq + lag;
    run.tombstone = (len & 1) != 0;
    const Snapshot::Site& site = snapshot.sites[run.site];
    if (run.len == 0 || seq == 0 || seq > site.seq || run.len > site.seq - seq + 1) {
      return bad("run out of its site's range");
    }
    if (lag > max_integer || run.sum + run.len - 1 > site.last_sum) {
      return bad("sum out of its site's range");
    }
    if (before != nullptr && before->site == run.site && before->tombstone == run.tombstone &&
        before->seq + before->len == seq && before->sum + before->len == run.sum) {
      return bad("runs are not maximal");
    }
    before = &run;
    next_seq = seq + run.len;
    elements += run.len;
    if (elements > max_elements) return bad("too many elements");
    snapshot.visible_runs += run.tombstone ? 0 : 1;
    snapshot.visible += run.tombstone ? 0 : run.len;
  }
  if (snapshot.purged > total - std::min(total, elements)) return bad("more elements than sums");
  if (!site_column.finished() || !lag_column.finished() || !len_column.at_end() ||
      !seq_column.at_end()) {
    return bad("columns of different length");
  }
  const auto scalars = count_scalars(snapshot.text);
  if (!scalars || *scalars != snapshot.visible) return bad("text does not fit the runs");
  snapshot.ascii = snapshot.text.size() == snapshot.visible;
  snapshot.by_id = order_by_id(snapshot);
  if (!ids_are_distinct(snapshot)) return bad("an id stands twice");

  if (update_count > update_column.remaining()) return bad("more updates than bytes");
  for (std::uint64_t i = 0; i < update_count; ++i) {
    Snapshot::Update update;
    update.element.sid = update_column.varint_max(max_integer);
    update.element.seq = update_column.varint_max(max_integer);
    update.key.sum = update_column.varint_max(total);
    update.key.sid = update_column.varint_max(max_integer);
    snapshot.updates.push_back(update);
  }
  if (update_column.failed() || !update_column.at_end()) return bad("bad update");
  return snapshot;
}

void StateHash::add(const RunView& run) {
  ByteWriter out(bytes_);
  out.varint(run.first.ssn);
  out.varint(run.first.sum);
  out.varint(run.first.sid);
  out.varint(run.first.seq);
  out.varint(std::uint64_t{run.len} << 1 | (run.tombstone ? 1 : 0));
  out.bytes(run.text);
}

std::uint64_t StateHash::value() const { return checksum64(bytes_); }

}  // namespace weft::rga

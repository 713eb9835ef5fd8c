#include "access/key_set.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "access/base64url.h"
#include "access/claims_text.h"
#include "access/key_material.h"
#include "access/key_reading.h"

namespace weft::access {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Error no_file(const std::string& path, int error) {
  return {ErrorClass::not_found, "no_key_file",
          path + " cannot be read: " + std::generic_category().message(error)};
}

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) return no_file(path, errno);
  std::string bytes(max_key_file_bytes + 1, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (std::ferror(file.get()) != 0) return no_file(path, errno);
  return bytes;
}

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Result<KeysRead> read_any(std::string_view bytes) {
  if (bytes.size() > max_key_file_bytes) {
    return bad_key("more than " + std::to_string(max_key_file_bytes) + " bytes");
  }
  const std::size_t start = bytes.find_first_not_of(" \t\r\n");
  const std::string_view rest = start == std::string_view::npos ? "" : bytes.substr(start);
  // PEM files may begin with what they are about, such as "Bag Attributes".
  if (rest.find("-----BEGIN ") != std::string_view::npos) return read_pem_keys(rest);
  if (rest.starts_with('{')) return read_jwks(rest);
  return read_secret(bytes);
}

}  // namespace

Result<KeysRead> read_secret(std::string_view bytes) {
  const std::string_view line = without_line_end(bytes);
  auto decoded = from_base64url(line);
  // A random secret that is no text may well end with the byte of a line end.
  const bool is_text = is_printable(line, 1, max_key_file_bytes);
  auto key =
      make_secret_key(decoded ? *std::move(decoded) : std::string(is_text ? line : bytes), {});
  if (!key.ok()) return key.error();
  KeysRead out;
  out.keys.push_back(std::move(key).value());
  return out;
}

Result<KeySet> KeySet::parse(std::string_view bytes, std::string_view name) {
  const std::string prefix = std::string(name) + ": ";
  auto read = read_any(bytes);
  if (!read.ok()) return bad_key(prefix + read.error().message);
  KeySet all;
  for (std::string& why : read->left_out) all.left_out_.push_back(prefix + std::move(why));
  if (read->keys.empty()) {
    return bad_key(all.left_out_.empty() ? prefix + "no key"
                                         : "no usable key; " + all.left_out_.front());
  }
  for (Key& key : read->keys) {
    KeySet one;
    one.keys_.push_back(std::move(key));
    if (const Status added = all.add(std::move(one)); !added.ok()) {
      return bad_key(prefix + added.error().message);
    }
  }
  return all;
}

Result<KeySet> KeySet::load(const std::vector<std::string>& paths) {
  KeySet all;
  for (const std::string& path : paths) {
    auto bytes = read_file(path);
    if (!bytes.ok()) return bytes.error();
    auto keys = parse(*bytes, path);
    if (!keys.ok()) return keys.error();
    if (const Status added = all.add(std::move(keys).value()); !added.ok()) {
      return bad_key(path + ": " + added.error().message);
    }
  }
  return all;
}

Status KeySet::add(KeySet others) {
  for (Key& key : others.keys_) {
    const bool is_known = std::any_of(keys_.begin(), keys_.end(),
                                      [&](const Key& known) { return known.id() == key.id(); });
    if (is_known) return bad_key("two keys with the id " + key.id());
    if (keys_.size() == max_keys) return bad_key("more than " + std::to_string(max_keys) + " keys");
    keys_.push_back(std::move(key));
  }
  for (std::string& why : others.left_out_) left_out_.push_back(std::move(why));
  return ok_status();
}

const Key* KeySet::signing_key() const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [](const Key& key) { return key.can_sign(); });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace weft::access

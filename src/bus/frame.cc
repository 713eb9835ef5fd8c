#include "bus/frame.h"

#include "access/base64url.h"
#include "base/codec.h"

namespace weft::bus {
namespace {

constexpr std::uint8_t version = 1;

std::size_t length_bytes(std::size_t size) { return size < 0x80 ? 1 : size < 0x4000 ? 2 : 3; }

}  // namespace

bool Frame::add(std::string_view message) {
  if (bytes_.size() + length_bytes(message.size()) + message.size() > max_bytes_) return false;
  ByteWriter(bytes_).sized_bytes(message);
  ++messages_;
  return true;
}

std::string Frame::payload() const { return access::to_base64url(bytes_); }

std::optional<std::vector<std::string>> Frame::read(std::string_view payload) {
  const auto bytes = access::from_base64url(payload);
  if (!bytes) return std::nullopt;
  ByteReader in(*bytes);
  if (in.u8() != version) return std::nullopt;
  std::vector<std::string> messages;
  while (!in.at_end()) messages.emplace_back(in.sized_bytes(in.remaining()));
  if (in.failed() || messages.empty()) return std::nullopt;
  return messages;
}

}  // namespace weft::bus

// Any bytes as a message from a server: refused or understood, and what was understood and is
// written again is understood the same.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "wire/messages.h"

using namespace weft;

namespace {

std::string encoded(const wire::ServerMessage& message) {
  return std::visit([](const auto& m) { return wire::encode(m); }, message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16384) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto decoded = wire::decode_server_message(bytes);
  if (!decoded.ok()) {
    WEFT_CHECK(decoded.error().code == "malformed_message");
    return 0;
  }
  if (!decoded->has_value()) return 0;
  if (const auto* peers = std::get_if<wire::Peers>(&**decoded)) {
    WEFT_CHECK(peers->peers.size() <= size);
  }
  // A longer form of an integer may have been read; the shortest is written, so nothing grows.
  const std::string once = encoded(**decoded);
  WEFT_CHECK(once.size() <= size);
  const auto again = wire::decode_server_message(once);
  WEFT_CHECK(again.ok() && again->has_value());
  WEFT_CHECK((*again)->index() == (*decoded)->index());
  WEFT_CHECK(encoded(**again) == once);
  return 0;
}

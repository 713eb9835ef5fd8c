// Any bytes as a message from a client: refused or understood, within its limits, and what was
// understood and is written again is understood the same.
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

void check_limits(const wire::ClientMessage& message, const wire::Limits& limits) {
  if (const auto* hello = std::get_if<wire::Hello>(&message)) {
    WEFT_CHECK(hello->token.size() <= limits.max_token_bytes);
    WEFT_CHECK(hello->version_min <= hello->version_max);
  } else if (const auto* presence = std::get_if<wire::Presence>(&message)) {
    WEFT_CHECK(presence->name.size() <= limits.max_presence_name_bytes);
    WEFT_CHECK(presence->selections.size() <= limits.max_presence_selections);
    WEFT_CHECK(presence->colour <= 0xffffff);
  }
}

std::string encoded(const wire::ClientMessage& message) {
  return std::visit([](const auto& m) { return wire::encode(m); }, message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wire::Limits limits;
  limits.max_message_bytes = 16384;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto decoded = wire::decode_client_message(bytes, limits);
  if (!decoded.ok()) {
    WEFT_CHECK(decoded.error().code == "malformed_message" || decoded.error().code == "too_large");
    return 0;
  }
  WEFT_CHECK(size <= limits.max_message_bytes);
  if (!decoded->has_value()) return 0;
  check_limits(**decoded, limits);
  // A longer form of an integer may have been read; the shortest is written, so nothing grows.
  const std::string once = encoded(**decoded);
  WEFT_CHECK(once.size() <= size);
  const auto again = wire::decode_client_message(once, limits);
  WEFT_CHECK(again.ok() && again->has_value());
  WEFT_CHECK((*again)->index() == (*decoded)->index());
  WEFT_CHECK(encoded(**again) == once);
  return 0;
}

// Frame: several messages as one text. NOTIFY and SNS carry nothing but text, of bounded length.
//
//   payload = base64url(version u8 1, message sized_bytes, message sized_bytes, ...)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::bus {

class Frame {
 public:
  /// The longest message that fits into a payload of that many bytes: beside it are the version and
  /// up to three bytes of length.
  static constexpr std::size_t max_message_bytes(std::size_t max_payload_bytes) {
    return max_payload_bytes * 3 / 4 - 4;
  }

  /// REQUIRES: 64 to a million bytes.
  explicit Frame(std::size_t max_payload_bytes)
      : max_bytes_(max_payload_bytes * 3 / 4), bytes_(1, '\x01') {}

  /// False, and nothing changed, when it does not fit any more. A message that is not longer than
  /// max_message_bytes() fits into an empty frame.
  bool add(std::string_view message);
  std::size_t messages() const { return messages_; }
  std::string payload() const;

  /// Nothing when it is not a frame of this version. The payload is from anybody.
  static std::optional<std::vector<std::string>> read(std::string_view payload);

 private:
  std::size_t max_bytes_;
  std::string bytes_;
  std::size_t messages_ = 0;
};

}  // namespace weft::bus

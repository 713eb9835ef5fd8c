// What one NOTIFY of weft's channel carries: several messages as one text. PostgreSQL takes text
// only, of fewer than 8,000 bytes.
//
//   payload = base64url(version u8 1, message sized_bytes, message sized_bytes, ...)
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::bus {

class NotifyFrame {
 public:
  static constexpr std::size_t max_payload_bytes = 7'999;
  static constexpr std::size_t max_frame_bytes = max_payload_bytes * 3 / 4;
  /// In a frame of its own: version, two bytes of length.
  static constexpr std::size_t max_message_bytes = max_frame_bytes - 3;

  NotifyFrame() : bytes_(1, '\x01') {}

  /// False, and nothing changed, when it does not fit any more. A message that is not longer than
  /// max_message_bytes fits into an empty frame.
  bool add(std::string_view message);
  std::size_t messages() const { return messages_; }
  std::string payload() const;

  /// Nothing when it is not a frame of this version. The payload is from anybody.
  static std::optional<std::vector<std::string>> read(std::string_view payload);

 private:
  std::string bytes_;
  std::size_t messages_ = 0;
};

}  // namespace weft::bus

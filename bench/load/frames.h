// WebSocket frames over a non-blocking descriptor, as little of RFC 6455 as a benchmark needs:
// binary messages in one frame, pings ignored, a close ends the stream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::bench {

/// Appends one frame. Clients must mask; a mask of zeros costs nothing.
void append_frame(std::string& out, std::string_view payload, bool is_client);

/// Bytes waiting to be read as frames, and bytes waiting to be sent.
class FrameStream {
 public:
  explicit FrameStream(int descriptor) : descriptor_(descriptor) {}

  int descriptor() const { return descriptor_; }

  /// Reads what there is. False when the peer has gone.
  bool fill();
  /// The next whole binary message, valid until fill(). False when there is none yet.
  bool next(std::string_view& message);
  /// Bytes that are no frames: the HTTP head. Up to and with the empty line; empty while
  /// incomplete.
  std::string take_head();

  void queue(std::string_view payload, bool is_client) { append_frame(out_, payload, is_client); }
  void queue_raw(std::string_view bytes) { out_ += bytes; }
  bool has_output() const { return out_at_ < out_.size(); }
  /// Sends what it can. False when the peer has gone.
  bool flush();

 private:
  int descriptor_;
  std::string in_;
  std::size_t in_at_ = 0;
  std::string out_;
  std::size_t out_at_ = 0;
};

/// Nanoseconds of the monotonic clock.
std::int64_t now_ns();

}  // namespace weft::bench

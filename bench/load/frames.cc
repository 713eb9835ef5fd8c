#include "bench/load/frames.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace weft::bench {
namespace {

constexpr std::size_t read_at_once = std::size_t{256} << 10;

}  // namespace

void append_frame(std::string& out, std::string_view payload, bool is_client) {
  const char mask_bit = is_client ? '\x80' : '\0';
  out.push_back('\x82');
  const std::size_t size = payload.size();
  if (size < 126) {
    out.push_back(static_cast<char>(mask_bit | static_cast<char>(size)));
  } else {
    const int bytes = size < 65536 ? 2 : 8;
    out.push_back(static_cast<char>(mask_bit | static_cast<char>(bytes == 2 ? 126 : 127)));
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(size >> (8 * i)));
  }
  if (is_client) out.append(4, '\0');
  out += payload;
}

bool FrameStream::fill() {
  if (in_at_ > 0) {
    in_.erase(0, in_at_);
    in_at_ = 0;
  }
  for (;;) {
    const std::size_t had = in_.size();
    in_.resize(had + read_at_once);
    const auto got = ::recv(descriptor_, in_.data() + had, read_at_once, MSG_DONTWAIT);
    in_.resize(had + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (static_cast<std::size_t>(got) < read_at_once) return true;
  }
}

bool FrameStream::next(std::string_view& message) {
  for (;;) {
    const std::string_view rest = std::string_view(in_).substr(in_at_);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    if (rest.size() < 2) return false;
    const unsigned opcode = byte(0) & 0x0f;
    const bool masked = (byte(1) & 0x80) != 0;
    std::size_t size = byte(1) & 0x7f;
    std::size_t head = 2;
    if (size >= 126) {
      const std::size_t bytes = size == 126 ? 2 : 8;
      if (rest.size() < head + bytes) return false;
      size = 0;
      for (std::size_t i = 0; i < bytes; ++i) size = size << 8 | byte(head + i);
      head += bytes;
    }
    if (masked) head += 4;  // of zeros: see append_frame
    if (rest.size() < head + size) return false;
    in_at_ += head + size;
    if (opcode != 2) continue;
    message = rest.substr(head, size);
    return true;
  }
}

std::string FrameStream::take_head() {
  const std::size_t end = in_.find("\r\n\r\n", in_at_);
  if (end == std::string::npos) return {};
  std::string head = in_.substr(in_at_, end + 4 - in_at_);
  in_at_ = end + 4;
  return head;
}

bool FrameStream::flush() {
  while (has_output()) {
    const auto sent = ::send(descriptor_, out_.data() + out_at_, out_.size() - out_at_,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    out_at_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  out_at_ = 0;
  return true;
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace weft::bench

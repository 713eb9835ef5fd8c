// SendTurn: what a turn of a loop has to send goes to the kernel once the turn is over, so that an
// acknowledgement and the operations that came with it, or those of several commits, share a write.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/ports.h"

namespace weft::server {

/// One that has something to send.
class Sender {
 public:
  virtual ~Sender() = default;
  /// Writes what waits, as much as the kernel takes. At the end of a turn: inside nobody's code.
  virtual void flush() = 0;
};

/// One for each loop; on the loop only.
class SendTurn : public std::enable_shared_from_this<SendTurn> {
 public:
  explicit SendTurn(Executor& loop) : loop_(loop) {}

  /// REQUIRES: not added yet in this turn.
  void add(std::shared_ptr<Sender> sender) {
    senders_.push_back(std::move(sender));
    if (senders_.size() > 1) return;
    loop_.post([self = shared_from_this()] { self->flush(); });
  }

 private:
  void flush() {
    // Whoever is flushed may add somebody to the next turn.
    std::swap(senders_, flushing_);
    for (const auto& sender : flushing_) sender->flush();
    flushing_.clear();
  }

  Executor& loop_;
  std::vector<std::shared_ptr<Sender>> senders_;
  std::vector<std::shared_ptr<Sender>> flushing_;
};

}  // namespace weft::server

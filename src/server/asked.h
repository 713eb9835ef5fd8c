// What a handler keeps of a call whose answer takes several steps: who waits for it, and where; and
// the count that lets an API's destructor wait for its steps.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/ports.h"
#include "base/result.h"
#include "server/call.h"
#include "server/http_message.h"
#include "server/problem.h"

namespace weft::server {

/// Counts the requests under way: each holds a pass.
class UnderWay {
 public:
  std::shared_ptr<void> pass() {
    const std::lock_guard lock(mutex_);
    ++inside_;
    return {this, [](void* here) { static_cast<UnderWay*>(here)->leave(); }};
  }
  void wait() {
    std::unique_lock lock(mutex_);
    empty_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t inside_ = 0;
};

struct Asked {
  explicit Asked(const Call& call, std::shared_ptr<void> steps = nullptr)
      : Asked(call.on, call.respond, call.request.request_id, std::move(steps)) {}
  Asked(Executor& executor, Respond answering, std::string id, std::shared_ptr<void> steps)
      : on(executor),
        respond(std::move(answering)),
        request_id(std::move(id)),
        pass(std::move(steps)) {}

  Executor& on;
  Respond respond;
  std::string request_id;
  std::shared_ptr<void> pass;  // goes when the last step is done

  /// Any thread.
  void answer(Response response) const {
    on.post([respond = respond, response = std::move(response)] { respond(response); });
  }
  void refuse(const Error& error) const { answer(problem(error, request_id)); }
  /// For steps that do not come back to the API: it need not wait for them.
  Asked without_pass() const { return {on, respond, request_id, nullptr}; }
};

}  // namespace weft::server

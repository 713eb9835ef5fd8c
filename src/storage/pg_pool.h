// PgPool: threads with a connection each, and one queue of jobs before them. While no thread has a
// connection every job is told so at once, instead of waiting for a database that is away; the
// threads keep trying to get theirs back.
//
// A Job has weight() and fail(const Error&), which answers it. Work is called on one of the threads
// with a link that is up and the jobs that fit into one group; it answers them all, and drops the
// link when the connection was lost.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/ports.h"
#include "storage/pg_link.h"

namespace weft::storage {

template <class Job>
class PgPool {
 public:
  using Jobs = std::vector<std::unique_ptr<Job>>;
  using Work = std::function<void(PgLink&, Jobs)>;

  /// `max_weight`: of one group; 1 gives one job at a time.
  PgPool(std::string name, std::vector<std::unique_ptr<PgLink>> links, std::size_t max_weight,
         Work work, Log& log)
      : name_(std::move(name)),
        max_weight_(max_weight),
        work_(std::move(work)),
        log_(log),
        up_(links.size()) {
    for (auto& link : links) {
      threads_.emplace_back([this, link = std::move(link)] { loop(*link); });
    }
  }
  /// Does what is queued, as far as the database is there.
  ~PgPool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    stop_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  PgPool(const PgPool&) = delete;
  PgPool& operator=(const PgPool&) = delete;

  /// Somebody has a connection, as far as is known. Any thread.
  bool is_up() const {
    const std::lock_guard lock(mutex_);
    return up_ > 0;
  }

  /// Any thread.
  void submit(std::unique_ptr<Job> job) {
    bool taken = false;
    {
      const std::lock_guard lock(mutex_);
      if (up_ > 0) {
        queue_.push_back(std::exchange(job, nullptr));
        taken = true;
      }
    }
    if (taken) {
      wake_.notify_one();
    } else {
      job->fail(database_unavailable("trying to reach it again"));
    }
  }

 private:
  // How soon an idle thread notices that its connection is gone.
  static constexpr std::chrono::milliseconds look_every{500};

  void loop(PgLink& link) {
    std::unique_lock lock(mutex_);
    while (true) {
      if (!link.is_up()) {
        if (!come_back(link, lock)) return;
        continue;
      }
      const auto due = [this] { return stopping_ || !queue_.empty(); };
      if (!wake_.wait_for(lock, look_every, due)) {
        lock.unlock();
        if (!link.connection().is_alive()) link.drop();
        lock.lock();
      } else if (queue_.empty()) {
        return;
      } else {
        Jobs jobs = take();
        lock.unlock();
        work_(link, std::move(jobs));
        lock.lock();
      }
      if (!link.is_up()) note_loss(lock);
    }
  }

  Jobs take() {
    Jobs jobs;
    std::size_t weight = 0;
    while (!queue_.empty() && (jobs.empty() || weight < max_weight_)) {
      weight += queue_.front()->weight();
      jobs.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return jobs;
  }

  /// Those who wait hear at once when nobody is left to serve them.
  void note_loss(std::unique_lock<std::mutex>& lock) {
    if (--up_ > 0) return;
    std::deque<std::unique_ptr<Job>> waiting;
    waiting.swap(queue_);
    lock.unlock();
    log_.write(LogLevel::warning, "database_lost", name_ + ": trying to reach it again");
    for (auto& job : waiting) job->fail(database_unavailable("the connection was lost"));
    lock.lock();
  }

  /// False when it is time to stop.
  bool come_back(PgLink& link, std::unique_lock<std::mutex>& lock) {
    stop_.wait_until(lock, link.next_attempt(), [this] { return stopping_; });
    if (stopping_) return false;
    lock.unlock();
    const Status attempted = link.attempt();
    lock.lock();
    if (attempted.ok() && ++up_ == 1) {
      lock.unlock();
      log_.write(LogLevel::info, "database_back", name_);
      lock.lock();
    }
    return true;
  }

  const std::string name_;
  const std::size_t max_weight_;
  const Work work_;
  Log& log_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;  // of those with a connection
  std::condition_variable stop_;  // of those without
  std::deque<std::unique_ptr<Job>> queue_;
  std::size_t up_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they start when the rest is ready
};

}  // namespace weft::storage

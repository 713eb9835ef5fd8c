// PgTasks: what a PostgreSQL store does beside commits and reads, one after the other on a thread
// and a connection of its own: erasing documents, naming versions.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/pg_pool.h"

namespace weft::storage {

struct PgTask {
  std::function<void(PgConnection&)> run;       // answers, and leaves no transaction open
  std::function<void(const Error&)> when_away;  // answers in its place

  std::size_t weight() const { return 1; }
  void fail(const Error& error) { when_away(error); }
};

class PgTasks {
 public:
  PgTasks(std::unique_ptr<PgLink> link, Log& log) {
    std::vector<std::unique_ptr<PgLink>> links;
    links.push_back(std::move(link));
    pool_ = std::make_unique<Pool>(
        "tasks", std::move(links), 1,
        [](PgLink& used, const Pool::Jobs& tasks) {
          for (const auto& task : tasks) task->run(used.connection());
          if (!used.connection().is_alive()) used.drop();
        },
        log);
  }

  /// Any thread.
  void submit(PgTask task) { pool_->submit(std::make_unique<PgTask>(std::move(task))); }

 private:
  using Pool = PgPool<PgTask>;
  std::unique_ptr<Pool> pool_;
};

}  // namespace weft::storage

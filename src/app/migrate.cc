#include "app/migrate.h"

#include <cinttypes>
#include <cstdio>
#include <memory>

#include "app/database_path.h"
#include "app/exit_code.h"
#include "app/stderr_log.h"
#include "app/system_ports.h"

namespace weft::app {

int run_migrate(const MigrateOptions& options) {
  auto choice = choose_store(options.store);
  if (!choice.ok()) return complain(choice.error());
  auto before = stored_schema(*choice);
  if (!before.ok()) return complain(before.error());
  const std::string where = choice->describe();
  if (before->stored > before->newest) return complain(storage::newer_schema(where, *before));
  if (before->stored == before->newest) {
    std::printf("%s: schema version %" PRId64 ", nothing to do\n", where.c_str(), before->stored);
    return exit_done;
  }
  if (options.check) {
    std::printf("%s: schema version %" PRId64 ", to be migrated to %" PRId64 "\n", where.c_str(),
                before->stored, before->newest);
    return exit_failed;
  }
  SystemClock clock;
  const std::unique_ptr<Log> log = make_stderr_log(LogLevel::warning);
  auto store = open_store(*choice, clock, *log);
  if (!store.ok()) return complain(store.error());
  std::printf("%s: schema version %" PRId64 ", migrated from %" PRId64 "\n", where.c_str(),
              before->newest, before->stored);
  return exit_done;
}

}  // namespace weft::app

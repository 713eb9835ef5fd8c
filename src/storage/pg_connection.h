// PgConnection: one connection to PostgreSQL through libpq, used by one thread at a time.
// Statements are prepared once for each connection and sent in batches: all of a batch goes out at
// once (pipeline mode) and costs one round trip. Nothing waits for ever: what does not answer in
// time is lost, and so is, within seconds, a line on which nothing arrives. Nothing here knows
// Weft's schema.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/pg_target.h"
#include "storage/pg_values.h"

namespace weft::storage {

/// How long a connection waits for the database, and the database for it.
struct PgLimits {
  /// What does not answer for so long is lost.
  std::chrono::milliseconds answer{40'000};
  /// A transaction in which nothing was asked for so long is ended by the database: whoever opened
  /// it may be cut off, and others may wait for its locks.
  std::chrono::milliseconds pause{60'000};
};

/// How a batch ended.
struct PgOutcome {
  enum class Kind : unsigned char {
    done,
    constraint,  // the rows contradict what is stored, a CHECK or a type: SQLSTATE class 23, 22
    failed,      // the server refused; the transaction is aborted
    lost,        // no answer. A COMMIT that was under way may or may not have happened
  };
  Kind kind = Kind::done;
  std::string sqlstate;
  std::string constraint;  // its name
  std::string message;     // without values of rows

  bool done() const { return kind == Kind::done; }
  bool is_unique_violation() const { return sqlstate == "23505"; }
};

struct PgStatement {
  const char* name;
  const char* sql;
};

class PgConnection {
 public:
  /// Connects to the first of the target's addresses that takes us, each of which gets 2 s to be
  /// reached and 5 s in all; sets the session up (synchronous_commit and time limits) and prepares
  /// the statements. Errors: unavailable "database_unavailable"; invalid "database_refused" when
  /// the server answers and does not want us; invalid "unsafe_database" when its commits are not
  /// durable.
  static Result<std::unique_ptr<PgConnection>> open(const PgTarget& target,
                                                    std::span<const PgStatement> statements,
                                                    PgLimits limits);

  /// Adds a prepared statement to the batch.
  void add(const PgStatement& statement, PgParams params = {});
  /// Sends the batch and waits for every answer: `rows` gets one entry for each statement. After
  /// the first failure the rest is not executed.
  PgOutcome run(std::vector<PgRows>& rows);
  /// The same for SQL without parameters, several statements allowed; the last one's rows.
  PgOutcome exec(const std::string& sql, PgRows* rows = nullptr);
  /// Ends whatever transaction is open. False when the connection is lost.
  bool roll_back();

  /// Looks, without waiting, whether the other side has hung up.
  bool is_alive();

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  PgConnection() = default;
  Status connect(const PgTarget& target);
  /// What went wrong there, in libpq's words or ours; nothing when it is connected.
  std::optional<std::string> connect_to(const PgTarget& target, const PgAddress& address);
  Status set_up(std::span<const PgStatement> statements);
  bool wait(short events, Deadline deadline);
  bool flush(Deadline deadline);
  /// The next result, or nullptr at the end of one statement's results; `lost` when none comes.
  PGresult* next_result(Deadline deadline, bool& lost);
  static PgOutcome outcome_of(const PGresult* result);
  PgOutcome lost(std::string_view why);

  std::unique_ptr<PGconn, Finish> connection_;
  PgLimits limits_;
  struct Queued {
    const char* name = nullptr;
    PgParams params;
  };
  std::vector<Queued> batch_;
  bool lost_ = false;
};

/// What those hear whose transaction or question ended so. `commit_failed` or `read_failed` is the
/// unavailable code.
Error to_error(const PgOutcome& outcome, std::string_view unavailable_code, std::string_view doing);
Error database_unavailable(std::string_view why);

}  // namespace weft::storage

#include "storage/pg_connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace weft::storage {
namespace {

constexpr std::chrono::seconds connect_limit{5};
// Until there is a line at all. Behind a cut nothing answers, and the kernel asks again after
// longer and longer pauses: who begins anew is there soon after it has healed.
constexpr std::chrono::seconds reach_limit{2};

std::string first_line(const char* text) {
  const std::string_view view = text == nullptr ? "" : text;
  return std::string(view.substr(0, view.find('\n')));
}

std::string field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? "" : value;
}

// What the session needs, whatever the server's defaults are. An acknowledgement promises that the
// commit survives: never less than "on". Every statement has an index to go by; without the word
// the plan that was made while a table was small would read all of it for ever. The database is to
// notice a dead line, too, even while it waits for a lock in our name: others would wait for us
// next. It gets no tcp_user_timeout: that would also end a connection on which we read too slowly.
constexpr const char* session_sql =
    "SET synchronous_commit = on; SET statement_timeout = '30s'; SET lock_timeout = '10s'; "
    "SET client_min_messages = warning; SET enable_seqscan = off; SET jit = off; "
    "SET tcp_keepalives_idle = 1; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; "
    "SET client_connection_check_interval = '1s'; SET idle_in_transaction_session_timeout = ";

}  // namespace

Result<std::unique_ptr<PgConnection>> PgConnection::open(const PgTarget& target,
                                                         std::span<const PgStatement> statements,
                                                         PgLimits limits) {
  std::unique_ptr<PgConnection> connection(new PgConnection);
  connection->limits_ = limits;
  if (Status connected = connection->connect(target); !connected.ok()) return connected.error();
  if (Status ready = connection->set_up(statements); !ready.ok()) return ready.error();
  return connection;
}

Status PgConnection::connect(const PgTarget& target) {
  if (Status checked = target.check(); !checked.ok()) return checked;
  const std::vector<PgAddress> addresses = target.addresses();
  std::string why;
  for (const PgAddress& address : addresses) {
    const auto trouble = connect_to(target, address);
    if (!trouble) {
      target.last->set(address);
      return ok_status();
    }
    if (!why.empty()) why += "; ";
    if (addresses.size() > 1) why += address.describe() + ": ";
    why += *trouble;
  }
  return database_unavailable(target.describe() + ": " + why);
}

std::optional<std::string> PgConnection::connect_to(const PgTarget& target,
                                                    const PgAddress& address) {
  if (!address.trouble.empty()) return address.trouble;
  const PgParameters own = target.parameters(address);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  const auto set = [&](const char* keyword, const char* value) {
    keywords.push_back(keyword);
    values.push_back(value);
  };
  // These can be overruled by the URL.
  set("target_session_attrs", "read-write");
  set("application_name", "weft");
  for (const auto& [keyword, value] : own) set(keyword.c_str(), value.c_str());
  set("client_encoding", "UTF8");
  set(nullptr, nullptr);

  const Deadline start = std::chrono::steady_clock::now();
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection_) return "no memory for a connection";
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  if (PQstatus(connection_.get()) == CONNECTION_BAD) next = PGRES_POLLING_FAILED;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) return first_line(PQerrorMessage(connection_.get()));
    const bool reaching = PQstatus(connection_.get()) == CONNECTION_STARTED;
    if (!wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT,
              start + (reaching ? reach_limit : connect_limit))) {
      return "no answer in time";
    }
    next = PQconnectPoll(connection_.get());
  }
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  return std::nullopt;
}

Status PgConnection::set_up(std::span<const PgStatement> statements) {
  const auto refused = [](const PgOutcome& outcome) {
    if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
    return Error{ErrorClass::invalid, "database_refused",
                 "the database refused: " + outcome.message};
  };
  PgRows rows;
  PgOutcome outcome = exec(session_sql + std::to_string(limits_.pause.count()));
  if (outcome.done()) {
    outcome = exec(
        "SELECT current_setting('synchronous_commit'), current_setting('fsync'), "
        "current_setting('server_encoding')",
        &rows);
  }
  if (!outcome.done()) return refused(outcome);
  const PgRow row = rows[0];
  if (row.text(0) != "on" || row.text(1) != "on") {
    return Error{ErrorClass::invalid, "unsafe_database",
                 "the database does not keep what it commits: fsync and synchronous_commit must "
                 "be on, and it says " +
                     std::string(row.text(1)) + " and " + std::string(row.text(0))};
  }
  if (row.text(2) != "UTF8") {
    return Error{ErrorClass::invalid, "database_encoding",
                 "the database's encoding must be UTF8, and it is " + std::string(row.text(2)) +
                     ": CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"};
  }
  if (statements.empty()) return ok_status();
  const Deadline deadline = std::chrono::steady_clock::now() + limits_.answer;
  PGconn* connection = connection_.get();
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1) {
    return database_unavailable("libpq has no pipeline mode here");
  }
  for (const PgStatement& statement : statements) {
    if (PQsendPrepare(connection, statement.name, statement.sql, 0, nullptr) != 1) {
      return refused(lost("preparing statements"));
    }
  }
  if (PQpipelineSync(connection) != 1 || !flush(deadline)) {
    return refused(lost("preparing statements"));
  }
  PgOutcome first;
  bool gone = false;
  for (std::size_t at = 0; at < statements.size(); ++at) {
    while (PGresult* result = next_result(deadline, gone)) {
      const PgOutcome prepared = outcome_of(result);
      PQclear(result);
      if (first.done()) first = prepared;
    }
    if (gone) return refused(lost("preparing statements"));
  }
  PQclear(next_result(deadline, gone));  // of the sync
  return first.done() && !gone ? ok_status() : Status(refused(first));
}

bool PgConnection::wait(short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd descriptor{PQsocket(connection_.get()), events, 0};
    if (descriptor.fd < 0) return false;
    const int ready = ::poll(&descriptor, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool PgConnection::flush(Deadline deadline) {
  while (true) {
    const int left = PQflush(connection_.get());
    if (left <= 0) return left == 0;
    // Answers are read meanwhile, or both sides could wait for the other for ever.
    if (!wait(POLLIN | POLLOUT, deadline)) return false;
    if (PQconsumeInput(connection_.get()) != 1) return false;
  }
}

PGresult* PgConnection::next_result(Deadline deadline, bool& lost) {
  while (PQisBusy(connection_.get()) != 0) {
    if (!wait(POLLIN, deadline) || PQconsumeInput(connection_.get()) != 1) {
      lost = true;
      return nullptr;
    }
  }
  return PQgetResult(connection_.get());
}

PgOutcome PgConnection::outcome_of(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC) {
    return {};
  }
  PgOutcome outcome;
  outcome.kind = PgOutcome::Kind::failed;
  outcome.sqlstate = field(result, PG_DIAG_SQLSTATE);
  outcome.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  // The primary message only: the detail quotes rows, and texts do not belong into logs.
  outcome.message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (outcome.message.empty()) outcome.message = PQresStatus(status);
  // 22: a value that its type cannot hold, such as a text with U+0000.
  if (outcome.sqlstate.starts_with("23") || outcome.sqlstate.starts_with("22")) {
    outcome.kind = PgOutcome::Kind::constraint;
  }
  // A standby after a failover, a server that is going, one that we kept waiting in a transaction:
  // another connection may do better.
  for (const std::string_view going : {"57P01", "57P02", "57P03", "25006", "25P03"}) {
    if (outcome.sqlstate == going) outcome.kind = PgOutcome::Kind::lost;
  }
  if (outcome.sqlstate.empty() && status == PGRES_FATAL_ERROR) {
    outcome.kind = PgOutcome::Kind::lost;
  }
  return outcome;
}

PgOutcome PgConnection::lost(std::string_view why) {
  lost_ = true;
  PgOutcome outcome;
  outcome.kind = PgOutcome::Kind::lost;
  const std::string said = first_line(PQerrorMessage(connection_.get()));
  outcome.message = said.empty() ? std::string(why) + ": no answer in time" : said;
  return outcome;
}

void PgConnection::add(const PgStatement& statement, PgParams params) {
  batch_.push_back({statement.name, std::move(params)});
}

PgOutcome PgConnection::run(std::vector<PgRows>& rows) {
  rows.clear();
  const std::vector<Queued> batch = std::move(batch_);
  batch_.clear();
  if (lost_) return lost("the connection is gone");
  PGconn* connection = connection_.get();
  const Deadline deadline = std::chrono::steady_clock::now() + limits_.answer;
  for (const Queued& queued : batch) {
    if (queued.params.send(connection, queued.name) != 1) return lost("sending");
  }
  if (PQpipelineSync(connection) != 1 || !flush(deadline)) return lost("sending");
  PgOutcome first;
  bool gone = false;
  for (std::size_t at = 0; at < batch.size(); ++at) {
    PgRows answer;
    while (PGresult* result = next_result(deadline, gone)) {
      const PgOutcome outcome = outcome_of(result);
      answer = PgRows(result);
      if (first.done()) first = outcome;
      if (first.kind == PgOutcome::Kind::lost) {
        lost_ = true;
        return first;
      }
    }
    if (gone || PQstatus(connection) == CONNECTION_BAD) return lost("waiting for an answer");
    rows.push_back(std::move(answer));
  }
  PQclear(next_result(deadline, gone));  // of the sync
  if (gone) return lost("waiting for an answer");
  return first;
}

PgOutcome PgConnection::exec(const std::string& sql, PgRows* rows) {
  if (lost_) return lost("the connection is gone");
  const Deadline deadline = std::chrono::steady_clock::now() + limits_.answer;
  PGconn* connection = connection_.get();
  const bool pipeline = PQpipelineStatus(connection) != PQ_PIPELINE_OFF;
  if (pipeline && PQexitPipelineMode(connection) != 1) return lost("leaving the pipeline");
  if (PQsendQuery(connection, sql.c_str()) != 1 || !flush(deadline)) return lost("sending");
  PgOutcome first;
  bool gone = false;
  while (PGresult* result = next_result(deadline, gone)) {
    const PgOutcome outcome = outcome_of(result);
    PgRows answer(result);
    if (first.done()) first = outcome;
    if (rows != nullptr) *rows = std::move(answer);
  }
  if (gone || first.kind == PgOutcome::Kind::lost) {
    const PgOutcome why = lost("waiting for an answer");
    return first.done() ? why : first;
  }
  if (pipeline && PQenterPipelineMode(connection) != 1) return lost("entering the pipeline");
  return first;
}

bool PgConnection::roll_back() {
  if (lost_) return false;
  const PGTransactionStatusType status = PQtransactionStatus(connection_.get());
  if (status == PQTRANS_IDLE) return true;
  return exec("ROLLBACK").done();
}

bool PgConnection::is_alive() {
  // What it says before it hangs up comes first.
  for (int looks = 0; looks < 4 && !lost_; ++looks) {
    pollfd descriptor{PQsocket(connection_.get()), POLLIN, 0};
    if (::poll(&descriptor, 1, 0) <= 0) break;
    if (PQconsumeInput(connection_.get()) != 1 || PQstatus(connection_.get()) != CONNECTION_OK) {
      lost_ = true;
    }
  }
  return !lost_;
}

Error to_error(const PgOutcome& outcome, std::string_view unavailable_code,
               std::string_view doing) {
  std::string message(doing);
  message += ": " + outcome.message;
  if (!outcome.sqlstate.empty()) message += " (" + outcome.sqlstate + ")";
  switch (outcome.kind) {
    case PgOutcome::Kind::constraint:
      return {ErrorClass::invalid, "row_refused", std::move(message)};
    default: break;
  }
  if (outcome.sqlstate.starts_with("XX00")) {  // data or index corrupted
    return {ErrorClass::corrupt, "damaged_database", std::move(message)};
  }
  return {ErrorClass::unavailable, unavailable_code, std::move(message)};
}

Error database_unavailable(std::string_view why) {
  return {ErrorClass::unavailable, "database_unavailable",
          "no connection to the database: " + std::string(why)};
}

}  // namespace weft::storage

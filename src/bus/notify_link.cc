#include "bus/notify_link.h"

#include <poll.h>

#include "base/check.h"

namespace weft::bus {
namespace {

// A message between servers is worth no flush of the disk. Nothing here waits for locks of others
// but for the short one of the queue of notifications. That queue keeps what any listener has not
// read: the database is to notice soon when one is not there any more.
constexpr const char* session_sql =
    "SET synchronous_commit = off; SET statement_timeout = '5s'; "
    "SET client_min_messages = warning; SET tcp_user_timeout = '20s'; "
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; LISTEN weft";

std::string first_line(const char* text) {
  const std::string_view view = text == nullptr ? "" : text;
  return std::string(view.substr(0, view.find('\n')));
}

Error no_answer() {
  return {ErrorClass::unavailable, "database_unavailable", "the database does not answer"};
}

}  // namespace

NotifyLink::NotifyLink(PgWays ways, Time now) : ways_(std::move(ways)) {
  WEFT_CHECK(!ways_.empty());
  begin(now);
}

void NotifyLink::begin(Time now) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  const auto set = [&](const char* keyword, const char* value) {
    keywords.push_back(keyword);
    values.push_back(value);
  };
  // A standby neither listens nor notifies.
  set("target_session_attrs", "read-write");
  set("application_name", "weft bus");
  for (const auto& [keyword, value] : ways_[way_]) {
    if (!value.empty()) set(keyword.c_str(), value.c_str());
  }
  set("client_encoding", "UTF8");
  set(nullptr, nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  next_ =
      PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  reached_ = false;
  deadline_ = now + (next_ == PGRES_POLLING_FAILED ? std::chrono::seconds(0) : reach_limit);
}

short NotifyLink::events() const {
  if (state_ == State::connecting) return next_ == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  return static_cast<short>(unflushed_ ? POLLIN | POLLOUT : POLLIN);
}

Status NotifyLink::advance(bool ready, Time now, const Heard& heard) {
  if (state_ == State::connecting) {
    if (next_ != PGRES_POLLING_FAILED && !ready) {
      if (now < deadline_) return ok_status();
      return go_on(no_answer(), now);
    }
    return connect_on(now);
  }
  if (cannot_ask_ || PQconsumeInput(connection_.get()) == 0) return lost("the connection is lost");
  const int flushed = PQflush(connection_.get());
  if (flushed < 0) return lost("the connection is lost");
  unflushed_ = flushed == 1;
  if (state_ == State::asked) {
    if (Status answered = read_answers(now); !answered.ok()) return answered;
  }
  hear(heard);
  if (now < deadline_) return ok_status();
  if (state_ == State::asked) {
    return no_answer();
  }
  ask(PQsendQuery(connection_.get(), "SELECT 1") == 1, now);
  return ok_status();
}

Status NotifyLink::connect_on(Time now) {
  if (next_ != PGRES_POLLING_FAILED) next_ = PQconnectPoll(connection_.get());
  if (next_ == PGRES_POLLING_FAILED) return go_on(lost("cannot connect"), now);
  if (next_ != PGRES_POLLING_OK) {
    if (PQstatus(connection_.get()) != CONNECTION_STARTED && !std::exchange(reached_, true)) {
      deadline_ += answer_limit - reach_limit;
    }
    return ok_status();
  }
  if (PQsetnonblocking(connection_.get(), 1) != 0) return lost("cannot connect");
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  ask(PQsendQuery(connection_.get(), session_sql) == 1, now);
  return ok_status();
}

Status NotifyLink::go_on(const Error& error, Time now) {
  if (way_ + 1 == ways_.size()) return error;
  ++way_;
  begin(now);
  return ok_status();
}

Status NotifyLink::read_answers(Time now) {
  while (PQisBusy(connection_.get()) == 0) {
    PGresult* const result = PQgetResult(connection_.get());
    if (result == nullptr) {
      if (PQstatus(connection_.get()) != CONNECTION_OK) return lost("the connection is lost");
      if (refused_ && !listening_) return lost("cannot listen");
      if (sending_) outcome_ = refused_ ? Sent::refused : Sent::taken;
      listening_ = true;
      sending_ = refused_ = false;
      state_ = State::idle;
      deadline_ = now + heartbeat;
      return ok_status();
    }
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) refused_ = true;
    PQclear(result);
  }
  return ok_status();
}

void NotifyLink::hear(const Heard& heard) {
  while (PGnotify* const notify = PQnotifies(connection_.get())) {
    // PostgreSQL tells us of our own, too.
    if (notify->be_pid != PQbackendPID(connection_.get())) heard(notify->extra);
    PQfreemem(notify);
  }
}

void NotifyLink::send(const std::vector<std::string>& payloads, Time now) {
  WEFT_CHECK(may_send() && !payloads.empty() && payloads.size() <= max_payloads);
  std::string sql = "SELECT";
  std::vector<const char*> values;
  for (const std::string& payload : payloads) {
    values.push_back(payload.c_str());
    sql += values.size() == 1 ? " " : ", ";
    sql += "pg_notify('weft', $" + std::to_string(values.size()) + ")";
  }
  sending_ = true;
  ask(PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 1,
      now);
}

void NotifyLink::ask(bool sent, Time now) {
  cannot_ask_ = !sent;
  state_ = State::asked;
  deadline_ = now + answer_limit;
  unflushed_ = sent && PQflush(connection_.get()) != 0;  // an error shows in the next advance()
  if (cannot_ask_) deadline_ = now;
}

Error NotifyLink::lost(std::string_view what) const {
  return {ErrorClass::unavailable, "database_unavailable",
          std::string(what) + ": " + first_line(PQerrorMessage(connection_.get()))};
}

}  // namespace weft::bus

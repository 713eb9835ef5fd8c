// NotifyLink: one connection to PostgreSQL that listens on the channel `weft` and notifies it. It
// never waits: whoever owns it polls its socket and calls advance(). Used by one thread. Lost is
// lost: the owner makes a new one.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::bus {

/// libpq's keywords and their values, of two alike the latter counts; they name one host and one of
/// its addresses, or none. May hold a password: never print it.
using PgParameters = std::vector<std::pair<std::string, std::string>>;
/// The ways to a database, to be tried in this order.
using PgWays = std::vector<PgParameters>;

class NotifyLink {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// A payload that another connection sent.
  using Heard = std::function<void(std::string_view payload)>;

  /// PostgreSQL commits so many with one flush of its lock.
  static constexpr std::size_t max_payloads = 16;
  static constexpr std::chrono::seconds answer_limit{5};
  /// Until there is a line at all. Behind a cut nothing answers, and the kernel asks again after
  /// longer and longer pauses.
  static constexpr std::chrono::seconds reach_limit{2};
  /// A connection that is idle for so long is asked whether it is there.
  static constexpr std::chrono::seconds heartbeat{5};

  /// Begins to connect, by the first way. Each gets its own time; the last one's failure is the
  /// link's.
  NotifyLink(PgWays ways, Time now);

  /// For poll(); -1 when there is none. May be another one after each advance().
  int socket() const { return PQsocket(connection_.get()); }
  short events() const;
  /// When advance() is to be called though the socket is silent.
  Time deadline() const { return deadline_; }

  /// Does what can be done now. `ready`: poll() said that the socket is. Error: unavailable
  /// "database_unavailable", when it is lost or never came to be.
  Status advance(bool ready, Time now, const Heard& heard);

  /// It hears.
  bool is_listening() const { return listening_; }
  /// It hears, and nothing that was sent is unanswered.
  bool may_send() const { return listening_ && state_ == State::idle; }
  /// At most max_payloads of them, not empty. REQUIRES: may_send().
  void send(const std::vector<std::string>& payloads, Time now);

  enum class Sent : unsigned char { nothing, taken, refused };
  /// What became of the last send(); tells it once.
  Sent take_outcome() { return std::exchange(outcome_, Sent::nothing); }

 private:
  enum class State : unsigned char { connecting, idle, asked };
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  void begin(Time now);
  Status connect_on(Time now);
  /// By the next way; the error when there is none.
  Status go_on(const Error& error, Time now);
  Status read_answers(Time now);
  void hear(const Heard& heard);
  void ask(bool sent, Time now);
  Error lost(std::string_view what) const;

  const PgWays ways_;
  std::size_t way_ = 0;  // the one that is gone
  std::unique_ptr<PGconn, Finish> connection_;
  State state_ = State::connecting;
  bool reached_ = false;  // there was a line
  bool listening_ = false;
  bool sending_ = false;     // what is unanswered is a send()
  bool refused_ = false;     // one of its answers so far
  bool cannot_ask_ = false;  // libpq did not take the last question
  bool unflushed_ = false;
  PostgresPollingStatusType next_ = PGRES_POLLING_WRITING;
  Sent outcome_ = Sent::nothing;
  Time deadline_;
};

}  // namespace weft::bus

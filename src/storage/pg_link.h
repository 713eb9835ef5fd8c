// PgLink: a connection that comes back. After a loss it is opened again, at once and then with
// delays that double and are blurred, so that many servers do not all knock at the same moment.
// Used by one thread.
#pragma once

#include <chrono>
#include <memory>
#include <random>
#include <span>

#include "base/result.h"
#include "storage/pg_connection.h"

namespace weft::storage {

class PgLink {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Connected. Errors: as PgConnection::open. The statements live as long as the program.
  static Result<std::unique_ptr<PgLink>> open(const PgTarget& target,
                                              std::span<const PgStatement> statements,
                                              PgLimits limits) {
    auto connection = PgConnection::open(target, statements, limits);
    if (!connection.ok()) return connection.error();
    return std::unique_ptr<PgLink>(
        new PgLink(target, statements, limits, std::move(connection).value()));
  }

  bool is_up() const { return connection_ != nullptr; }
  /// REQUIRES: is_up().
  PgConnection& connection() { return *connection_; }
  /// The connection is of no use any more.
  void drop() {
    connection_.reset();
    next_attempt_ = std::chrono::steady_clock::now();
    delay_ = first_delay;
  }
  Time next_attempt() const { return next_attempt_; }
  /// REQUIRES: !is_up(). Takes as long as connecting takes: up to 5 s for each address.
  Status attempt() {
    auto connection = PgConnection::open(target_, statements_, limits_);
    if (connection.ok()) {
      connection_ = std::move(connection).value();
      return ok_status();
    }
    std::uniform_int_distribution<std::int64_t> blurred(delay_.count() / 2, delay_.count());
    next_attempt_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(blurred(random_));
    delay_ = std::min(delay_ * 2, longest_delay);
    return connection.error();
  }

 private:
  static constexpr std::chrono::milliseconds first_delay{50};
  static constexpr std::chrono::milliseconds longest_delay{1000};

  PgLink(const PgTarget& target, std::span<const PgStatement> statements, PgLimits limits,
         std::unique_ptr<PgConnection> connection)
      : target_(target),
        statements_(statements),
        limits_(limits),
        connection_(std::move(connection)),
        random_(std::random_device{}()) {}

  const PgTarget target_;
  const std::span<const PgStatement> statements_;
  const PgLimits limits_;
  std::unique_ptr<PgConnection> connection_;
  std::minstd_rand random_;
  Time next_attempt_{};
  std::chrono::milliseconds delay_ = first_delay;
};

}  // namespace weft::storage

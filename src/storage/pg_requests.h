// What a writer of PostgreSQL is asked to do. A request says what it has to read, then judges what
// is there and adds its rows to the group, or refuses and changes nothing. It may be judged again
// in another transaction after this one was rolled back, so judging consumes nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/ports.h"
#include "base/result.h"
#include "collab/ports.h"
#include "storage/history_import.h"
#include "storage/pg_group.h"

namespace weft::storage {

class PgRequest {
 public:
  explicit PgRequest(Executor& on) : on_(on) {}
  virtual ~PgRequest() = default;
  PgRequest(const PgRequest&) = delete;
  PgRequest& operator=(const PgRequest&) = delete;

  Executor& executor() const { return on_; }
  /// Rows that it adds to the transaction, roughly.
  virtual std::size_t weight() const { return 1; }
  virtual void declare(PgGroup& group) const = 0;
  /// REQUIRES: the group has read. Sets the answer.
  virtual void judge(PgGroup& group) = 0;
  /// Sets the answer for a broken constraint, when it was alone in its transaction.
  virtual void refuse(const PgOutcome& outcome) = 0;
  virtual void set_failure(const Error& error) = 0;
  /// The answer, to be called once on the executor. REQUIRES: the answer is set. Empties the
  /// request.
  virtual std::function<void()> take_completion() = 0;

  /// Answers at once.
  void fail(const Error& error) {
    set_failure(error);
    on_.post(take_completion());
  }

 private:
  Executor& on_;
};

template <class T>
class TypedPgRequest : public PgRequest {
 public:
  TypedPgRequest(Executor& on, collab::Done<T> done) : PgRequest(on), done_(std::move(done)) {}

  void set_failure(const Error& error) override { answer_ = error; }
  std::function<void()> take_completion() override {
    WEFT_CHECK(answer_.has_value());
    return [done = std::move(done_), answer = std::move(*answer_)]() mutable {
      done(std::move(answer));
    };
  }

 protected:
  void answer(Result<T> result) { answer_ = std::move(result); }

 private:
  collab::Done<T> done_;
  std::optional<Result<T>> answer_;
};

std::unique_ptr<PgRequest> pg_append(const DocumentId& document, collab::Journal::Batch batch,
                                     std::int64_t now_us, Executor& on,
                                     collab::Done<collab::Journal::Appended> done);
std::unique_ptr<PgRequest> pg_lease_site(const DocumentId& document, const ClientId& client,
                                         collab::Author author, std::int64_t now_us, Executor& on,
                                         collab::Done<std::uint64_t> done);
std::unique_ptr<PgRequest> pg_create(collab::Catalog::NewDocument document, std::int64_t now_us,
                                     Executor& on, collab::Done<collab::Catalog::Created> done);
std::unique_ptr<PgRequest> pg_remove(const DocumentId& document, std::int64_t now_us, Executor& on,
                                     collab::Done<Unit> done);
std::unique_ptr<PgRequest> pg_undelete(const DocumentId& document, Executor& on,
                                       collab::Done<collab::DocumentRecord> done);
std::unique_ptr<PgRequest> pg_import(HistoryImport history, std::int64_t now_us, Executor& on,
                                     collab::Done<collab::DocumentRecord> done);

}  // namespace weft::storage

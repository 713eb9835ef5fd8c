// PgErasures: erases documents on a thread and a connection of its own, in small transactions, so
// that a long history holds up nobody's commit. The mark in erased_documents comes first; from then
// on the document is gone, and any server can go on with the rest.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "base/uuid.h"
#include "storage/pg_pool.h"

namespace weft::storage {

struct PgErasure {
  DocumentId document;
  std::int64_t now_us;
  std::function<void(const Status&)> done;  // called once, on any thread

  std::size_t weight() const { return 1; }
  void fail(const Error& error) { done(error); }
};

class PgErasures {
 public:
  /// REQUIRES: the link is prepared with pg_erasure_statements().
  PgErasures(std::unique_ptr<PgLink> link, Log& log);

  /// Any thread. Errors: not_found "document_not_found"; gone "document_erased" when nothing was
  /// left to do; unavailable, and then the mark may be there: asking again goes on.
  void submit(std::unique_ptr<PgErasure> job) { pool_->submit(std::move(job)); }

 private:
  using Pool = PgPool<PgErasure>;

  static Status erase(PgConnection& connection, const PgErasure& job);
  static Status mark(PgConnection& connection, const PgErasure& job);
  /// False when rows had to be left, because somebody was adding some.
  static Result<bool> remove_rows(PgConnection& connection, const DocumentId& document);

  std::unique_ptr<Pool> pool_;
};

/// The documents whose erasing was cut short.
Result<std::vector<DocumentId>> unfinished_erasures(PgConnection& connection);

std::span<const PgStatement> pg_erasure_statements();

}  // namespace weft::storage

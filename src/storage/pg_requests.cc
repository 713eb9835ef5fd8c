#include "storage/pg_requests.h"

#include <utility>

#include "collab/batch_moving.h"
#include "storage/document_rows.h"
#include "storage/edit_keys.h"
#include "storage/row_codec.h"

namespace weft::storage {
namespace {

using collab::LogRow;

/// What is there by this id, deleted or not.
Result<PgGroup::Document*> find_any(PgGroup& group, const DocumentId& id) {
  if (group.is_erased(id)) return document_erased(id);
  PgGroup::Document* document = group.find(id);
  if (document == nullptr) return document_not_found(id);
  if (document->is_damaged) return damaged_document(id.to_string());
  return document;
}

Result<PgGroup::Document*> find_live(PgGroup& group, const DocumentId& id) {
  auto found = find_any(group, id);
  if (found.ok() && (*found)->deleted_us) return document_deleted(id);
  return found;
}

class Append final : public TypedPgRequest<collab::Journal::Appended> {
 public:
  Append(const DocumentId& document, collab::Journal::Batch batch, std::int64_t now_us,
         Executor& on, collab::Done<collab::Journal::Appended> done)
      : TypedPgRequest(on, std::move(done)),
        document_(document),
        batch_(std::move(batch)),
        now_us_(now_us),
        has_bad_key_(!are_storable(batch_.keys)) {}

  std::size_t weight() const override { return batch_.rows.size() + batch_.keys.size() + 1; }
  void declare(PgGroup& group) const override {
    group.want_document(document_);
    if (batch_.may_move) group.want_missed(document_, batch_.expected_last_index);
    if (has_bad_key_) return;
    for (const collab::EditKey& key : batch_.keys) group.want_edit(document_, key.key);
  }

  void judge(PgGroup& group) override {
    for (const LogRow& row : batch_.rows) {
      if (!is_storable(row)) return answer(row_refused());
    }
    if (has_bad_key_) return answer(bad_edit_key());
    const auto found = find_live(group, document_);
    if (!found.ok()) return answer(found.error());
    for (const collab::EditKey& key : batch_.keys) {
      const auto stored_us = group.find_edit(document_, key.key);
      if (!stored_us) continue;
      if (!stored_us->ok()) return answer(stored_us->error());
      if (**stored_us > forgotten_since(now_us_)) return answer(edit_key_exists());
    }
    const std::uint64_t last = (*found)->record.last_index;
    const std::uint64_t expected = batch_.expected_last_index;
    if (last == expected) return write(group, **found, batch_, {});
    if (batch_.may_move && last > expected && last - expected <= collab::max_missed_rows) {
      auto missed = group.missed(document_, expected);
      if (!missed.ok()) return answer(missed.error());
      collab::Journal::Batch moved = batch_;  // as it came, should it be judged once more
      if (collab::move_past(moved, *missed)) {
        return write(group, **found, moved, std::move(missed).value());
      }
    }
    answer(log_moved(document_, last, expected));
  }

  void refuse(const PgOutcome& outcome) override {
    if (outcome.is_unique_violation()) {
      answer(operation_exists(document_));
    } else {
      answer(to_error(outcome, "commit_failed", "a log row of document " + document_.to_string()));
    }
  }

 private:
  void write(PgGroup& group, PgGroup::Document& document, const collab::Journal::Batch& batch,
             std::vector<LogRow> missed) {
    collab::DocumentRecord& record = document.record;
    for (const LogRow& row : batch.rows) {
      group.add_row(document_, ++record.last_index, row);
      record.sum_total += row.len;
    }
    for (const collab::EditKey& key : batch.keys) group.add_edit(document_, key, now_us_);
    if (!batch.rows.empty()) {
      record.updated_us = batch.rows.back().timestamp_us;
      document.is_changed = true;
    }
    answer(collab::Journal::Appended{record.last_index, std::move(missed)});
  }

  const DocumentId document_;
  const collab::Journal::Batch batch_;
  const std::int64_t now_us_;  // known when there are keys
  const bool has_bad_key_;
};

class LeaseSite final : public TypedPgRequest<std::uint64_t> {
 public:
  LeaseSite(const DocumentId& document, const ClientId& client, collab::Author author,
            std::int64_t now_us, Executor& on, collab::Done<std::uint64_t> done)
      : TypedPgRequest(on, std::move(done)),
        document_(document),
        client_(client),
        author_(std::move(author)),
        now_us_(now_us) {}

  void declare(PgGroup& group) const override { group.want_site(document_, client_, author_); }

  void judge(PgGroup& group) override {
    if (!is_storable(author_)) return answer(bad_text());
    const auto found = find_live(group, document_);
    if (!found.ok()) return answer(found.error());
    for (const ClientId& client : {client_, collab::client_as(client_, author_)}) {
      const auto known = group.find_site(document_, client);
      if (!known) {
        const std::uint64_t sid = (*found)->next_sid++;
        (*found)->is_changed = true;
        group.add_site(document_, client, sid, now_us_);
        group.put_author(document_, client, {sid, author_});
        return answer(sid);
      }
      if (!known->ok()) return answer(known->error());
      const KnownSite& site = **known;
      if (!site.is_for(author_)) continue;
      if (site.is_news(author_)) group.put_author(document_, client, {site.sid, author_});
      return answer(site.sid);
    }
    // Its own row cannot be read.
    answer(damaged_document(document_.to_string()));
  }

  // next_sid points at a site that exists: handing it out again would forge ids.
  void refuse(const PgOutcome&) override { answer(damaged_document(document_.to_string())); }

 private:
  const DocumentId document_;
  const ClientId client_;
  const collab::Author author_;
  const std::int64_t now_us_;
};

class Create final : public TypedPgRequest<collab::Catalog::Created> {
 public:
  Create(collab::Catalog::NewDocument document, std::int64_t now_us, Executor& on,
         collab::Done<collab::Catalog::Created> done)
      : TypedPgRequest(on, std::move(done)),
        document_(std::move(document)),
        now_us_(now_us),
        content_len_(storable_length(document_)),
        request_hash_(request_hash(document_)) {}

  void declare(PgGroup& group) const override {
    if (!content_len_) return;
    group.want_document(document_.id);
    if (!document_.idempotency_key.empty()) group.want_key(document_.idempotency_key);
    if (document_.max_owned > 0) group.want_owned(document_.owner_user, document_.owner);
  }

  void judge(PgGroup& group) override {
    if (!content_len_) return answer(bad_text());
    if (!document_.idempotency_key.empty()) {
      if (const auto* known = group.find_by_key(document_.idempotency_key)) {
        if (known->request_hash != request_hash_) return answer(idempotency_key_reused());
        if (known->is_damaged) return answer(damaged_document(known->record.id.to_string()));
        if (known->deleted_us) return answer(document_deleted(known->record.id));
        return answer(collab::Catalog::Created{known->record, false});
      }
    }
    if (group.find(document_.id) != nullptr || group.is_erased(document_.id)) {
      return answer(document_exists(document_.id));
    }
    if (document_.max_owned > 0 && group.owned_by(document_.owner_user) >= document_.max_owned) {
      return answer(too_many_documents(document_.max_owned));
    }
    PgGroup::Document created;
    created.record = first_record(document_, *content_len_, now_us_);
    created.next_sid = 2;
    created.idempotency_key = document_.idempotency_key;
    if (!created.idempotency_key.empty()) created.request_hash = request_hash_;
    answer(collab::Catalog::Created{created.record, true});
    group.add_document(std::move(created));
    group.add_site(document_.id, document_.client, 1, now_us_);
    group.put_author(document_.id, document_.client, {1, document_.author});
    if (!document_.owner_user.empty()) {
      group.add_owner(document_.id, document_.owner_user, now_us_);
    }
    if (*content_len_ > 0) {
      group.add_row(document_.id, 1, first_row(document_, *content_len_, now_us_));
    }
  }

  void refuse(const PgOutcome& outcome) override {
    if (outcome.constraint == "documents_pkey") {
      answer(document_exists(document_.id));
    } else {
      answer(to_error(outcome, "commit_failed", "the new document " + document_.id.to_string()));
    }
  }

 private:
  const collab::Catalog::NewDocument document_;
  const std::int64_t now_us_;
  const std::optional<std::uint64_t> content_len_;
  const std::uint64_t request_hash_;
};

class Remove final : public TypedPgRequest<Unit> {
 public:
  Remove(const DocumentId& document, std::int64_t now_us, Executor& on, collab::Done<Unit> done)
      : TypedPgRequest(on, std::move(done)), document_(document), now_us_(now_us) {}

  void declare(PgGroup& group) const override { group.want_document(document_); }

  void judge(PgGroup& group) override {
    const auto found = find_live(group, document_);
    if (!found.ok()) return answer(found.error());
    PgGroup::Document* document = *found;
    document->deleted_us = now_us_;
    document->is_changed = true;
    answer(Unit{});
  }

  void refuse(const PgOutcome& outcome) override {
    answer(to_error(outcome, "commit_failed", "deleting document " + document_.to_string()));
  }

 private:
  const DocumentId document_;
  const std::int64_t now_us_;
};

// Undeleting what is not deleted is a success too: a request that is sent again does no harm.
class Undelete final : public TypedPgRequest<collab::DocumentRecord> {
 public:
  Undelete(const DocumentId& document, Executor& on, collab::Done<collab::DocumentRecord> done)
      : TypedPgRequest(on, std::move(done)), document_(document) {}

  void declare(PgGroup& group) const override { group.want_document(document_); }

  void judge(PgGroup& group) override {
    const auto found = find_any(group, document_);
    if (!found.ok()) return answer(found.error());
    PgGroup::Document* document = *found;
    if (document->deleted_us) {
      document->deleted_us.reset();
      document->is_changed = true;
    }
    answer(document->record);
  }

  void refuse(const PgOutcome& outcome) override {
    answer(to_error(outcome, "commit_failed", "undeleting document " + document_.to_string()));
  }

 private:
  const DocumentId document_;
};

class Import final : public TypedPgRequest<collab::DocumentRecord> {
 public:
  Import(HistoryImport history, std::int64_t now_us, Executor& on,
         collab::Done<collab::DocumentRecord> done)
      : TypedPgRequest(on, std::move(done)), history_(std::move(history)), now_us_(now_us) {
    history_.archive.record.incarnation = history_.incarnation;
  }

  std::size_t weight() const override { return history_.archive.rows.size() + 1; }
  void declare(PgGroup& group) const override {
    group.want_document(id());
    group.want_time();
  }

  void judge(PgGroup& group) override {
    if (group.find(id()) != nullptr || group.is_erased(id())) return answer(document_exists(id()));
    PgGroup::Document document;
    document.record = history_.archive.record;
    document.next_sid = history_.archive.next_sid;
    group.add_document(std::move(document));
    for (const auto& [sid, client] : history_.sites) group.add_site(id(), client, sid, now_us_);
    for (const auto& [client, author] : history_.authors) group.put_author(id(), client, author);
    for (const LogRow& row : history_.archive.rows) group.add_row(id(), row.index, row);
    for (const auto& version : history_.archive.versions) group.add_version(id(), version);
    answer(history_.archive.record);
  }

  void refuse(const PgOutcome& outcome) override {
    if (outcome.constraint == "documents_pkey") {
      answer(document_exists(id()));
    } else {
      answer(to_error(outcome, "commit_failed", "the imported document " + id().to_string()));
    }
  }

 private:
  const DocumentId& id() const { return history_.archive.record.id; }

  HistoryImport history_;
  const std::int64_t now_us_;
};

}  // namespace

std::unique_ptr<PgRequest> pg_append(const DocumentId& document, collab::Journal::Batch batch,
                                     std::int64_t now_us, Executor& on,
                                     collab::Done<collab::Journal::Appended> done) {
  return std::make_unique<Append>(document, std::move(batch), now_us, on, std::move(done));
}

std::unique_ptr<PgRequest> pg_lease_site(const DocumentId& document, const ClientId& client,
                                         collab::Author author, std::int64_t now_us, Executor& on,
                                         collab::Done<std::uint64_t> done) {
  return std::make_unique<LeaseSite>(document, client, std::move(author), now_us, on,
                                     std::move(done));
}

std::unique_ptr<PgRequest> pg_create(collab::Catalog::NewDocument document, std::int64_t now_us,
                                     Executor& on, collab::Done<collab::Catalog::Created> done) {
  return std::make_unique<Create>(std::move(document), now_us, on, std::move(done));
}

std::unique_ptr<PgRequest> pg_remove(const DocumentId& document, std::int64_t now_us, Executor& on,
                                     collab::Done<Unit> done) {
  return std::make_unique<Remove>(document, now_us, on, std::move(done));
}

std::unique_ptr<PgRequest> pg_undelete(const DocumentId& document, Executor& on,
                                       collab::Done<collab::DocumentRecord> done) {
  return std::make_unique<Undelete>(document, on, std::move(done));
}

std::unique_ptr<PgRequest> pg_import(HistoryImport history, std::int64_t now_us, Executor& on,
                                     collab::Done<collab::DocumentRecord> done) {
  return std::make_unique<Import>(std::move(history), now_us, on, std::move(done));
}

}  // namespace weft::storage

#include "storage/pg_group.h"

#include <algorithm>
#include <utility>

#include "storage/edit_keys.h"
#include "storage/pg_group_statements.h"
#include "storage/row_checks.h"
#include "storage/row_codec.h"

namespace weft::storage {
namespace {

constexpr PgStatement statements[] = {
    lock_documents,   lock_keys,        find_keys,       find_sites,        find_erased,
    insert_documents, update_documents, insert_sites,    insert_operations, begin,
    commit_statement, insert_owner,     insert_versions, find_edits,        put_edits,
    sweep_edits,      find_missed,      count_owned,     take_time,         put_site_authors};

void add_optional(PgArray& array, const std::optional<std::int64_t>& value) {
  if (value) {
    array.add(*value);
  } else {
    array.add_null();
  }
}

}  // namespace

std::span<const PgStatement> pg_group_statements() { return statements; }

PgGroup::Document PgGroup::document_of(const PgRow& row) {
  Document document;
  if (auto read = read_document(row)) {
    document.record = std::move(read->record);
    document.next_sid = read->next_sid;
  } else {
    document.is_damaged = true;
    document.record.id = Uuid::parse(row.text(0)).value_or(Uuid{});
  }
  if (!row.is_null(9)) document.deleted_us = row.i64(9);
  document.request_hash = row.u64(10);
  document.idempotency_key = row.text(11);
  return document;
}

PgOutcome PgGroup::read_more(PgConnection& connection) {
  PgArray gone(PgArray::Type::uuid);
  for (const DocumentId& id : wanted_) {
    const Document* document = find(id);
    if (document == nullptr || document->deleted_us) gone.add(id);
  }
  const bool asks_erased = !gone.empty();
  if (asks_erased) {
    PgParams by_id;
    by_id.add(std::move(gone));
    connection.add(find_erased, std::move(by_id));
  }
  std::vector<DocumentId> moved;
  for (const auto& [id, expected] : wanted_missed_) {
    if (ask_tail(connection, id, expected)) moved.push_back(id);
  }
  if (!asks_erased && moved.empty()) return {};
  std::vector<PgRows> answers;
  PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return outcome;
  std::size_t at = 0;
  if (asks_erased) {
    const PgRows& rows = answers[at++];
    for (int i = 0; i < rows.size(); ++i) erased_.insert(rows[i].uuid(0));
  }
  for (const DocumentId& id : moved) keep_tail(id, answers[at++]);
  return outcome;
}

bool PgGroup::ask_tail(PgConnection& connection, const DocumentId& id,
                       const std::set<std::uint64_t>& expected) {
  const Document* document = find(id);
  const std::uint64_t last = document == nullptr ? 0 : document->record.last_index;
  const std::uint64_t first = last > collab::max_missed_rows ? last - collab::max_missed_rows : 0;
  const auto oldest = expected.lower_bound(first);
  if (oldest == expected.end()) return false;  // all of them have missed too much
  // A tail without a row is kept, too: of two in this group who knew all, the second has missed the
  // first.
  Tail& tail = tails_[id];
  tail.after = std::min(*oldest, last);
  if (tail.after == last || document->is_damaged) return false;
  PgParams params;
  params.add(id);
  params.add(tail.after);
  params.add(last);
  connection.add(find_missed, std::move(params));
  return true;
}

void PgGroup::keep_tail(const DocumentId& id, const PgRows& rows) {
  Tail& tail = tails_[id];
  const std::uint64_t count = find(id)->record.last_index - tail.after;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t index = tail.after + 1 + i;
    const int at = static_cast<int>(i);
    auto row = at < rows.size() ? read_row(rows[at], id, scratch_) : std::nullopt;
    if (!row || row->index != index) {
      tail.damaged_at = index;
      return;
    }
    tail.rows.push_back(*std::move(row));
  }
}

Result<std::vector<collab::LogRow>> PgGroup::missed(const DocumentId& document,
                                                    std::uint64_t expected) const {
  const Tail& tail = tails_.at(document);
  if (tail.damaged_at) {
    return damaged_log(document.to_string(), *tail.damaged_at,
                       "the row is missing, or its checksum does not fit");
  }
  const auto from = tail.rows.begin() + static_cast<std::ptrdiff_t>(expected - tail.after);
  return std::vector<collab::LogRow>(from, tail.rows.end());
}

PgOutcome PgGroup::read(PgConnection& connection) {
  connection.add(begin);
  PgArray ids(PgArray::Type::uuid);
  for (const DocumentId& id : wanted_) ids.add(id);
  PgParams by_id;
  by_id.add(std::move(ids));
  connection.add(lock_documents, std::move(by_id));
  if (!wanted_keys_.empty()) {
    PgArray keys(PgArray::Type::text);
    for (const std::string& key : wanted_keys_) keys.add_bytes(key);
    PgParams by_key;
    by_key.add(std::move(keys));
    connection.add(lock_keys, by_key);
    connection.add(find_keys, std::move(by_key));
  }
  if (!wanted_sites_.empty()) {
    PgArray documents(PgArray::Type::uuid);
    PgArray clients(PgArray::Type::uuid);
    for (const auto& [document, client] : wanted_sites_) {
      documents.add(document);
      clients.add(client);
    }
    PgParams by_client;
    by_client.add(std::move(documents));
    by_client.add(std::move(clients));
    connection.add(find_sites, std::move(by_client));
  }
  if (!wanted_edits_.empty()) {
    PgArray documents(PgArray::Type::uuid);
    PgArray keys(PgArray::Type::text);
    for (const auto& [document, key] : wanted_edits_) {
      documents.add(document);
      keys.add_bytes(key);
    }
    PgParams by_key;
    by_key.add(std::move(documents));
    by_key.add(std::move(keys));
    connection.add(find_edits, std::move(by_key));
  }
  if (!wanted_owners_.empty()) {
    PgArray users(PgArray::Type::text);
    PgArray owners(PgArray::Type::uuid);
    for (const auto& [user, owner] : wanted_owners_) {
      users.add_bytes(user);
      owners.add(owner);
    }
    PgParams by_user;
    by_user.add(std::move(users));
    by_user.add(std::move(owners));
    connection.add(count_owned, std::move(by_user));
  }
  if (takes_time_) connection.add(take_time);
  std::vector<PgRows> answers;
  PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return outcome;
  std::size_t at = 1;
  const auto keep = [this](const PgRows& rows) {
    for (int i = 0; i < rows.size(); ++i) {
      Document document = document_of(rows[i]);
      const DocumentId id = document.record.id;
      if (!document.idempotency_key.empty()) keys_.emplace(document.idempotency_key, id);
      documents_.emplace(id, std::move(document));
    }
  };
  keep(answers[at++]);
  if (!wanted_keys_.empty()) {
    ++at;  // of the locks
    keep(answers[at++]);
  }
  if (!wanted_sites_.empty()) keep_sites(answers[at++]);
  if (!wanted_edits_.empty()) {
    const PgRows& rows = answers[at++];
    for (int i = 0; i < rows.size(); ++i) keep_edit(rows[i]);
  }
  if (!wanted_owners_.empty()) {
    const PgRows& rows = answers[at];
    for (int i = 0; i < rows.size(); ++i) owned_[std::string(rows[i].text(0))] = rows[i].u64(1);
  }
  return read_more(connection);
}

// Whether it was forgotten is not known of a damaged one: the edit may be in the log.
void PgGroup::keep_edit(const PgRow& row) {
  const DocumentId document = row.uuid(6);
  const std::string key(row.text(0));
  Result<std::int64_t> stored_us = row.i64(4);
  if (check_edit_key(row, document) == RowCheck::damaged) {
    stored_us = damaged_row(document, "edit_keys", "edit_key " + key);
  }
  edits_.insert_or_assign({document, key}, std::move(stored_us));
}

PgGroup::Document* PgGroup::find(const DocumentId& document) {
  const auto found = documents_.find(document);
  return found == documents_.end() ? nullptr : &found->second;
}

PgGroup::Document* PgGroup::find_by_key(const std::string& key) {
  const auto found = keys_.find(key);
  return found == keys_.end() ? nullptr : find(found->second);
}

std::uint64_t PgGroup::owned_by(const std::string& user) const {
  const auto found = owned_.find(user);
  return found == owned_.end() ? 0 : found->second;
}

std::optional<Result<std::int64_t>> PgGroup::find_edit(const DocumentId& document,
                                                       const std::string& key) const {
  const auto found = edits_.find({document, key});
  if (found == edits_.end()) return std::nullopt;
  return found->second;
}

void PgGroup::add_edit(const DocumentId& document, const collab::EditKey& key,
                       std::int64_t now_us) {
  edits_.insert_or_assign({document, key.key}, now_us);
  new_edits_.document.add(document);
  new_edits_.key.add_bytes(key.key);
  new_edits_.fingerprint.add(key.fingerprint);
  new_edits_.before_index.add(key.before_index);
  new_edits_.version.add(key.version);
  new_edits_.created.add(now_us);
  new_edits_.checksum.add(edit_key_checksum(document, key, now_us));
  new_edits_.newest_us = std::max(new_edits_.newest_us, now_us);
}

void PgGroup::add_document(Document document) {
  const DocumentId id = document.record.id;
  document.is_new = true;
  if (!document.idempotency_key.empty()) keys_.emplace(document.idempotency_key, id);
  documents_.emplace(id, std::move(document));
}

void PgGroup::add_row(const DocumentId& document, std::uint64_t index, const collab::LogRow& row) {
  Operations& to = operations_;
  to.document.add(document);
  to.log_index.add(index);
  to.base.add(row.base);
  to.kind.add(static_cast<std::uint64_t>(row.kind));
  to.ssn.add(row.id.ssn);
  to.sum.add(row.id.sum);
  to.sid.add(row.id.sid);
  to.seq.add(row.id.seq);
  to.len.add(std::uint64_t{row.len});
  if (row.ref.is_head()) {
    to.ref_sid.add_null();
    to.ref_seq.add_null();
  } else {
    to.ref_sid.add(row.ref.sid);
    to.ref_seq.add(row.ref.seq);
  }
  if (row.operation().has_text()) {
    to.value.add_bytes(row.text);
  } else {
    to.value.add_null();
  }
  to.timestamp.add(row.timestamp_us);
  to.checksum.add(row_checksum(document, index, row, scratch_));
  if (const auto tail = tails_.find(document); tail != tails_.end()) {
    tail->second.rows.push_back(row);
    tail->second.rows.back().index = index;
  }
}

void PgGroup::add_operations(PgConnection& connection) {
  if (operations_.document.empty()) return;
  Operations& from = operations_;
  PgParams params;
  for (PgArray* column : {&from.document, &from.log_index, &from.base, &from.kind, &from.ssn,
                          &from.sum, &from.sid, &from.seq, &from.len, &from.ref_sid, &from.ref_seq,
                          &from.value, &from.timestamp, &from.checksum}) {
    params.add(std::move(*column));
  }
  connection.add(insert_operations, std::move(params));
}

void PgGroup::add_documents(PgConnection& connection) {
  PgArray id(PgArray::Type::uuid), owner(PgArray::Type::uuid), incarnation(PgArray::Type::uuid);
  PgArray title(PgArray::Type::text), key(PgArray::Type::text);
  PgArray creation(PgArray::Type::bigint), ssn(PgArray::Type::bigint), last(PgArray::Type::bigint),
      total(PgArray::Type::bigint), next_sid(PgArray::Type::bigint), updated(PgArray::Type::bigint),
      deleted(PgArray::Type::bigint), hash(PgArray::Type::bigint), checksum(PgArray::Type::bigint);
  for (const auto& [document_id, document] : documents_) {
    if (!document.is_new) continue;
    const collab::DocumentRecord& record = document.record;
    id.add(document_id);
    owner.add(record.owner);
    creation.add(record.creation_us);
    title.add_bytes(record.title);
    incarnation.add(record.incarnation);
    ssn.add(record.ssn);
    last.add(record.last_index);
    total.add(record.sum_total);
    next_sid.add(document.next_sid);
    updated.add(record.updated_us);
    add_optional(deleted, document.deleted_us);
    if (document.idempotency_key.empty()) {
      key.add_null();
      hash.add_null();
    } else {
      key.add_bytes(document.idempotency_key);
      hash.add(document.request_hash);
    }
    checksum.add(
        document_checksum({document_id, record.owner, record.creation_us, record.title,
                           record.incarnation, document.idempotency_key, document.request_hash}));
  }
  if (id.empty()) return;
  PgParams params;
  for (PgArray* column : {&id, &owner, &creation, &title, &incarnation, &ssn, &last, &total,
                          &next_sid, &updated, &deleted, &key, &hash, &checksum}) {
    params.add(std::move(*column));
  }
  connection.add(insert_documents, std::move(params));
}

void PgGroup::add_changes(PgConnection& connection) {
  PgArray id(PgArray::Type::uuid);
  PgArray last(PgArray::Type::bigint), total(PgArray::Type::bigint),
      next_sid(PgArray::Type::bigint), updated(PgArray::Type::bigint),
      deleted(PgArray::Type::bigint);
  for (const auto& [document_id, document] : documents_) {
    if (document.is_new || !document.is_changed) continue;
    id.add(document_id);
    last.add(document.record.last_index);
    total.add(document.record.sum_total);
    next_sid.add(document.next_sid);
    updated.add(document.record.updated_us);
    add_optional(deleted, document.deleted_us);
  }
  if (id.empty()) return;
  PgParams params;
  for (PgArray* column : {&id, &last, &total, &next_sid, &updated, &deleted}) {
    params.add(std::move(*column));
  }
  connection.add(update_documents, std::move(params));
}

void PgGroup::add_owner(const DocumentId& document, const std::string& user, std::int64_t now_us) {
  new_owners_.push_back({document, user, now_us});
  ++owned_[user];
}

void PgGroup::add_owners(PgConnection& connection) {
  for (const NewOwner& owner : new_owners_) {
    PgParams params;
    params.add(owner.document);
    params.add_bytes(owner.user);
    params.add(owner.now_us);
    params.add(member_checksum(owner.document, {owner.user, access::Role::owner, owner.now_us}));
    connection.add(insert_owner, std::move(params));
  }
}

void PgGroup::add_version(const DocumentId& document, const collab::NamedVersion& version) {
  new_versions_.emplace_back(document, version);
}

void PgGroup::add_versions(PgConnection& connection) {
  if (new_versions_.empty()) return;
  PgArray id(PgArray::Type::uuid), name(PgArray::Type::text);
  PgArray index(PgArray::Type::bigint), created(PgArray::Type::bigint),
      checksum(PgArray::Type::bigint);
  for (const auto& [document, version] : new_versions_) {
    id.add(document);
    name.add_bytes(version.name);
    index.add(version.index);
    created.add(version.created_us);
    checksum.add(version_checksum(document, version));
  }
  PgParams params;
  for (PgArray* column : {&id, &name, &index, &created, &checksum}) {
    params.add(std::move(*column));
  }
  connection.add(insert_versions, std::move(params));
}

void PgGroup::add_edits(PgConnection& connection) {
  if (new_edits_.document.empty()) return;
  PgParams old;
  old.add(forgotten_since(new_edits_.newest_us));
  old.add(swept_edit_keys);
  connection.add(sweep_edits, std::move(old));
  NewEdits& from = new_edits_;
  PgParams params;
  for (PgArray* column : {&from.document, &from.key, &from.fingerprint, &from.before_index,
                          &from.version, &from.created, &from.checksum}) {
    params.add(std::move(*column));
  }
  connection.add(put_edits, std::move(params));
}

PgOutcome PgGroup::commit(PgConnection& connection) {
  add_documents(connection);
  add_sites(connection);
  add_authors(connection);
  add_owners(connection);
  add_operations(connection);
  add_changes(connection);
  add_versions(connection);
  add_edits(connection);
  connection.add(commit_statement);
  std::vector<PgRows> answers;
  PgOutcome outcome = connection.run(answers);
  // COMMIT of an aborted transaction succeeds as a ROLLBACK.
  if (outcome.done() && answers.back().command() != "COMMIT") {
    outcome.kind = PgOutcome::Kind::failed;
    outcome.message = "the transaction was rolled back";
  }
  return outcome;
}

}  // namespace weft::storage

// PgGroup: what the requests of one transaction read, decide and write, in memory. The writer asks
// every request what it needs, reads that in one round trip (which locks the documents' rows), lets
// the requests judge in order, each seeing what those before it decided, and writes the sum of it
// in a second round trip that ends with COMMIT.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "storage/document_rows.h"
#include "storage/pg_connection.h"
#include "storage/site_author_rows.h"

namespace weft::storage {

class PgGroup {
 public:
  struct Document {
    collab::DocumentRecord record;
    std::uint64_t next_sid = 1;
    std::optional<std::int64_t> deleted_us;
    std::string idempotency_key;     // empty: none, or not asked for
    std::uint64_t request_hash = 0;  // 0 when there is no key
    bool is_damaged = false;         // nothing but its id and deleted_us is known
    bool is_new = false;
    bool is_changed = false;
  };

  // First: what has to be read.
  void want_document(const DocumentId& document) { wanted_.insert(document); }
  /// That client's, and that of the client as whom the author goes on if it is another's.
  void want_site(const DocumentId& document, const ClientId& client, const collab::Author& author);
  void want_key(const std::string& key) { wanted_keys_.insert(key); }

  /// How many documents the user created, as `owner`, and owns.
  void want_owned(const std::string& user, const Uuid& owner) { wanted_owners_[user] = owner; }
  void want_edit(const DocumentId& document, const std::string& key) {
    wanted_edits_.insert({document, key});
  }

  /// The rows after `expected`, if the log turns out to be longer, and not by too much.
  void want_missed(const DocumentId& document, std::uint64_t expected) {
    wanted_missed_[document].insert(expected);
  }

  /// So much will be written that preparing it takes seconds, and nobody else waits for it.
  void want_time() { takes_time_ = true; }

  /// Opens the transaction, locks and reads.
  PgOutcome read(PgConnection& connection);

  // Then: what is there, and what is to be. Pointers last as long as the group.
  Document* find(const DocumentId& document);
  /// Deleted for good. Its row may be there still, marked as deleted.
  bool is_erased(const DocumentId& document) const { return erased_.contains(document); }
  Document* find_by_key(const std::string& key);
  /// Corrupt, code "damaged_row".
  std::optional<Result<KnownSite>> find_site(const DocumentId& document,
                                             const ClientId& client) const;
  /// Those of this group included.
  std::uint64_t owned_by(const std::string& user) const;
  /// When the edit with this key was stored. Corrupt, code "damaged_row".
  std::optional<Result<std::int64_t>> find_edit(const DocumentId& document,
                                                const std::string& key) const;
  /// What the log has after `expected`, the rows of this group included. Corrupt, code
  /// "damaged_log". REQUIRES: want_missed() was told, find() finds it, and these are 1 to
  /// max_missed_rows rows.
  Result<std::vector<collab::LogRow>> missed(const DocumentId& document,
                                             std::uint64_t expected) const;
  /// REQUIRES: find(document.record.id) is nullptr.
  void add_document(Document document);
  void add_site(const DocumentId& document, const ClientId& client, std::uint64_t sid,
                std::int64_t now_us);
  /// Puts or replaces the author of a site that is there.
  void put_author(const DocumentId& document, const ClientId& client, collab::SiteAuthor author);
  void add_owner(const DocumentId& document, const std::string& user, std::int64_t now_us);
  /// Row `index` of the document's log.
  void add_row(const DocumentId& document, std::uint64_t index, const collab::LogRow& row);

  /// A name that no version of the document has.
  void add_version(const DocumentId& document, const collab::NamedVersion& version);
  void add_edit(const DocumentId& document, const collab::EditKey& key, std::int64_t now_us);

  /// Writes and commits. When this is done, it is durable.
  PgOutcome commit(PgConnection& connection);

 private:
  using Site = std::pair<DocumentId, ClientId>;
  using Edit = std::pair<DocumentId, std::string>;
  /// The columns of the rows to insert, one array for each.
  struct Operations {
    PgArray document{PgArray::Type::uuid}, log_index{PgArray::Type::bigint},
        base{PgArray::Type::bigint}, kind{PgArray::Type::bigint}, ssn{PgArray::Type::bigint},
        sum{PgArray::Type::bigint}, sid{PgArray::Type::bigint}, seq{PgArray::Type::bigint},
        len{PgArray::Type::bigint}, ref_sid{PgArray::Type::bigint}, ref_seq{PgArray::Type::bigint},
        value{PgArray::Type::text}, timestamp{PgArray::Type::bigint},
        checksum{PgArray::Type::bigint};
  };
  struct NewSite {
    DocumentId document;
    ClientId client;
    std::uint64_t sid = 0;
    std::int64_t now_us = 0;
  };

  struct NewOwner {
    DocumentId document;
    std::string user;
    std::int64_t now_us = 0;
  };
  struct NewEdits {
    PgArray document{PgArray::Type::uuid}, key{PgArray::Type::text},
        fingerprint{PgArray::Type::bigint}, before_index{PgArray::Type::bigint},
        version{PgArray::Type::bigint}, created{PgArray::Type::bigint},
        checksum{PgArray::Type::bigint};
    std::int64_t newest_us = 0;
  };

  /// The end of a log, for those who append after it.
  struct Tail {
    std::uint64_t after = 0;
    std::vector<collab::LogRow> rows;
    std::optional<std::uint64_t> damaged_at;  // index
  };

  static Document document_of(const PgRow& row);
  /// What only the locked rows tell to be needed: whether those that are not there or deleted are
  /// gone for good, and what others have appended.
  PgOutcome read_more(PgConnection& connection);
  /// Adds the question for those of the group who did not know of all rows. False: all did.
  bool ask_tail(PgConnection& connection, const DocumentId& document,
                const std::set<std::uint64_t>& expected);
  void keep_tail(const DocumentId& document, const PgRows& rows);
  void keep_edit(const PgRow& row);
  void add_operations(PgConnection& connection);
  void add_documents(PgConnection& connection);
  void add_changes(PgConnection& connection);
  void keep_sites(const PgRows& rows);
  void add_sites(PgConnection& connection);
  void add_authors(PgConnection& connection);
  void add_edits(PgConnection& connection);
  void add_owners(PgConnection& connection);
  void add_versions(PgConnection& connection);

  bool takes_time_ = false;
  std::set<DocumentId> wanted_;
  std::set<Site> wanted_sites_;
  std::set<std::string> wanted_keys_;
  std::set<Edit> wanted_edits_;
  std::map<DocumentId, std::set<std::uint64_t>> wanted_missed_;
  std::map<std::string, Uuid> wanted_owners_;
  std::map<DocumentId, Document> documents_;
  std::map<DocumentId, Tail> tails_;
  std::set<DocumentId> erased_;
  std::map<std::string, DocumentId> keys_;
  std::map<Site, Result<KnownSite>> sites_;
  std::map<std::pair<DocumentId, std::uint64_t>, collab::Author> new_authors_;  // by site
  std::map<Edit, Result<std::int64_t>> edits_;
  std::map<std::string, std::uint64_t> owned_;
  std::vector<NewSite> new_sites_;
  NewEdits new_edits_;
  std::vector<NewOwner> new_owners_;
  std::vector<std::pair<DocumentId, collab::NamedVersion>> new_versions_;
  Operations operations_;
  std::string scratch_;
};

/// What a connection of a writer has to prepare.
std::span<const PgStatement> pg_group_statements();

}  // namespace weft::storage

// SqliteStore: the embedded journal and catalog. One thread owns the only writing connection and
// commits for everyone who waits (group commit, WAL, synchronous=FULL); another reads. Answers are
// posted on the executor that asked. The file is DIR/weft.db; schema in docs/SCHEMA.md.
#pragma once

#include <memory>
#include <string>

#include "base/ports.h"
#include "base/result.h"
#include "storage/store.h"

namespace weft::storage {

struct SqliteConfig {
  std::string directory;              // created if missing
  std::size_t max_group_rows = 4096;  // rows in one transaction
};

class SqliteStore final : public Store {
 public:
  /// Opens or creates the database and checks its schema. Errors: unavailable "data_directory"
  /// (cannot create or write), unavailable "data_locked" (another process serves it), corrupt
  /// "damaged_database", invalid "newer_schema". The message says what to do.
  static Result<std::unique_ptr<SqliteStore>> open(SqliteConfig config, Clock& clock, Log& log);
  ~SqliteStore() override;  // finishes what was queued

  void append(const DocumentId& document, Batch batch, Executor& on,
              collab::Done<Appended> done) override;
  void find_edit(const DocumentId& document, std::string key, Executor& on,
                 collab::Done<std::optional<collab::EditKey>> done) override;
  void load(const DocumentId& document, Executor& on, collab::Done<Loaded> done) override;
  void read_rows(const DocumentId& document, std::uint64_t after, std::size_t max_rows,
                 Executor& on, collab::Done<std::vector<collab::LogRow>> done) override;
  void version_at(const DocumentId& document, std::uint64_t index, Executor& on,
                  collab::Done<rga::VersionVector> done) override;
  void lease_site(const DocumentId& document, const ClientId& client, collab::Author author,
                  Executor& on, collab::Done<std::uint64_t> done) override;
  void authors_of(const DocumentId& document, std::vector<std::uint64_t> sids, Executor& on,
                  collab::Done<std::vector<collab::SiteAuthor>> done) override;
  void save_snapshot(const DocumentId& document, std::uint64_t index, std::string snapshot,
                     Executor& on, collab::Done<Unit> done) override;

  void create(NewDocument document, Executor& on, collab::Done<Created> done) override;
  void get(const DocumentId& document, Executor& on,
           collab::Done<collab::DocumentRecord> done) override;
  void list(ListFilter filter, std::string cursor, std::size_t limit, Executor& on,
            collab::Done<Page> done) override;
  void rename(const DocumentId& document, std::string title, Executor& on,
              collab::Done<collab::DocumentRecord> done) override;
  void remove(const DocumentId& document, Executor& on, collab::Done<Unit> done) override;
  void undelete(const DocumentId& document, Executor& on,
                collab::Done<collab::DocumentRecord> done) override;
  void erase(const DocumentId& document, Executor& on, collab::Done<Unit> done) override;
  void ping(Executor& on, collab::Done<Unit> done) override;

  void load_at(const DocumentId& document, std::uint64_t index, Executor& on,
               collab::Done<Loaded> done) override;
  void index_at_time(const DocumentId& document, std::int64_t time_us, Executor& on,
                     collab::Done<std::uint64_t> done) override;
  void row_infos(const DocumentId& document, std::uint64_t before, std::size_t max_rows,
                 Executor& on, collab::Done<std::vector<collab::RowInfo>> done) override;
  void writing_infos(const DocumentId& document, std::uint64_t after, std::uint64_t last,
                     Executor& on, collab::Done<std::vector<collab::WritingInfo>> done) override;
  void name_version(const DocumentId& document, std::string name, std::uint64_t index, Executor& on,
                    collab::Done<collab::NamedVersion> done) override;
  void list_versions(const DocumentId& document, Executor& on,
                     collab::Done<std::vector<collab::NamedVersion>> done) override;
  void remove_version(const DocumentId& document, std::string name, Executor& on,
                      collab::Done<Unit> done) override;

  void import(HistoryImport history, Executor& on,
              collab::Done<collab::DocumentRecord> done) override;

  // collab::AccessStore
  void role_of(const DocumentId& document, std::string user, Executor& on,
               collab::Done<access::Role> done) override;
  void list_members(const DocumentId& document, Executor& on,
                    collab::Done<std::vector<collab::DocumentMember>> done) override;
  void set_member(const DocumentId& document, std::string user, access::Role role, Executor& on,
                  collab::Done<collab::DocumentMember> done) override;
  void remove_member(const DocumentId& document, std::string user, Executor& on,
                     collab::Done<Unit> done) override;
  void add_token(const DocumentId& document, collab::GivenToken token, Executor& on,
                 collab::Done<Unit> done) override;
  void list_tokens(const DocumentId& document, Executor& on,
                   collab::Done<std::vector<collab::GivenToken>> done) override;
  void revoke_token(const DocumentId& document, std::string token_id, Executor& on,
                    collab::Done<Unit> done) override;
  void revoke_anywhere(std::string token_id, std::int64_t expires_us, Executor& on,
                       collab::Done<Unit> done) override;
  void changes_since(std::uint64_t number, Executor& on,
                     collab::Done<std::vector<collab::AccessChange>> done) override;

  // collab::Journal and collab::ReplicaRegistry, for those who share the database
  void log_ends(std::vector<DocumentId> documents, Executor& on,
                collab::Done<std::vector<collab::LogEnd>> done) override;
  void compare_state(const DocumentId& document, StateClaim claim, Executor& on,
                     collab::Done<std::uint64_t> done) override;
  void beat(collab::Replica replica, Executor& on, collab::Done<Unit> done) override;
  void list_replicas(Executor& on, collab::Done<std::vector<collab::Replica>> done) override;
  void leave(std::string replica_id, Uuid instance, Executor& on, collab::Done<Unit> done) override;
  void replication_secret(Executor& on, collab::Done<std::string> done) override;

 private:
  class Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::storage

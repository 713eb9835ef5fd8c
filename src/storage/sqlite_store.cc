#include "storage/sqlite_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "base/on_the_spot.h"
#include "base/worker_thread.h"
#include "storage/access_requests.h"
#include "storage/data_directory.h"
#include "storage/deletion_requests.h"
#include "storage/import_request.h"
#include "storage/replica_requests.h"
#include "storage/schema.h"
#include "storage/snapshot_job.h"
#include "storage/sqlite_reader.h"
#include "storage/sqlite_writer.h"
#include "storage/version_requests.h"
#include "storage/wal_space.h"
#include "storage/write_requests.h"

namespace weft::storage {
namespace {

// Only a person with an SQL shell can hold the write lock against us. Longer than a quick look.
constexpr int busy_timeout_ms = 2000;

// Rows that one transaction removes of an erased document: some milliseconds.
constexpr std::size_t erase_slice_rows = 2000;

Error open_error(int code, const std::string& path, std::string_view doing) {
  if (classify(code) == Failure::damaged) {
    return {ErrorClass::corrupt, "damaged_database",
            path + " is damaged (" + std::string(doing) + ": " + sqlite3_errstr(code) +
                "). Move it away together with its -wal and -shm files and restore a backup."};
  }
  return {ErrorClass::unavailable, "data_directory",
          path + ": " + std::string(doing) + ": " + sqlite3_errstr(code) +
              ". Check the permissions and the free space of its directory."};
}

// Opens, checks and migrates: everything that can go wrong with the file goes wrong here.
Result<std::unique_ptr<WriteSession>> open_writing(const std::string& path, Clock& clock) {
  auto session = std::make_unique<WriteSession>();
  Database& db = session->db;
  // Texts are nobody else's business, whatever the directory allows. SQLite gives its other files
  // the permissions of this one.
  if (const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) ::close(fd);
  int code = db.open(path, Database::Mode::read_write_create, busy_timeout_ms);
  if (code != SQLITE_OK) return open_error(code, path, "opening it");
  std::string mode;
  code = db.query_text("PRAGMA journal_mode = WAL", mode);
  if (code != SQLITE_OK) return open_error(code, path, "switching it to WAL");
  if (mode != "wal") {
    return Error{ErrorClass::unavailable, "data_directory",
                 path + " is on a file system that cannot hold an SQLite WAL (journal mode is " +
                     mode + ")"};
  }
  // FULL: every commit is synced, because an acknowledgement promises it. The writer checkpoints by
  // itself, at its own times. The parent row of every inserted row is read or written in the same
  // transaction, so foreign keys need no second look. What is erased is overwritten with zeros.
  code = db.exec(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = OFF; "
      "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384; "
      "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;");
  if (code != SQLITE_OK) return open_error(code, path, "configuring it");
  if (Status migrated = migrate(db, path, clock); !migrated.ok()) return migrated.error();
  code = session->prepare();
  if (code == SQLITE_ERROR) {
    // A statement that does not fit the tables: they are not what schema_migrations says.
    return Error{ErrorClass::corrupt, "damaged_database",
                 path + " does not have the tables that its schema version promises (" +
                     sqlite3_errmsg(db.handle()) + "). Restore a backup."};
  }
  if (code != SQLITE_OK) return open_error(code, path, "reading its schema");
  return session;
}

// Reads a little of every table, so that a truncated or overwritten file is noticed at start and
// not by the first user. A whole check would read the whole file: that is fsck's work.
Status probe(Database& db, const std::string& path) {
  for (const char* query :
       {"SELECT count(*) FROM (SELECT document_id FROM documents LIMIT 100)",
        "SELECT count(*) FROM (SELECT checksum FROM operations LIMIT 10)",
        "SELECT count(*) FROM (SELECT sid FROM operations ORDER BY document_id DESC LIMIT 10)",
        "SELECT count(*) FROM (SELECT client_id FROM sites LIMIT 10)",
        "SELECT count(*) FROM (SELECT erased_at FROM erased_documents LIMIT 10)",
        "SELECT count(*) FROM (SELECT checksum FROM document_snapshot_headers LIMIT 10)",
        "SELECT count(*) FROM (SELECT ord FROM document_snapshot_states LIMIT 10)",
        "SELECT count(*) FROM (SELECT ord FROM document_snapshots LIMIT 10)"}) {
    std::int64_t count = 0;
    const int code = db.query_int(query, count);
    if (code != SQLITE_OK) return open_error(code, path, "reading its tables");
  }
  return ok_status();
}

}  // namespace

class SqliteStore::Impl {
 public:
  Impl(DataDirectory directory, std::unique_ptr<WriteSession> session, SnapshotSession snapshots,
       std::unique_ptr<SqliteReader> reader, WriterConfig config, Clock& clock, Log& log)
      : clock_(clock),
        directory_(std::move(directory)),
        writer_(std::move(session), std::move(snapshots), config, log),
        reader_(std::move(reader)) {}

  std::int64_t now_us() const { return clock_.unix_us(); }

  void write(std::unique_ptr<WriteRequest> request) { writer_.submit(std::move(request)); }

  /// Slice after slice, each in somebody's group; `done` hears of the end on the writer's thread.
  void erase(const DocumentId& document, std::function<void(Result<Unit>)> done) {
    write(erase_request(document, erase_slice_rows, now_us(), on_the_spot_,
                        [this, document, done = std::move(done)](Result<EraseProgress> slice) {
                          if (!slice.ok()) return done(slice.error());
                          if (slice->rows_left) return erase(document, done);
                          writer_.wipe_wal();
                          done(Unit{});
                        }));
  }

  /// What the last process did not get to the end of. Perhaps its WAL still holds what is erased.
  void finish_erasures(const std::vector<DocumentId>& documents, bool any_erased, Log& log) {
    if (any_erased) writer_.wipe_wal();
    for (const DocumentId& document : documents) {
      erase(document, [&log](const Result<Unit>& erased) {
        if (!erased.ok()) log.write(LogLevel::error, erased.error().code, erased.error().message);
      });
    }
  }

  /// Runs `question(reader)` on the reading thread and posts its answer.
  template <class T, class Question>
  void ask(Executor& on, collab::Done<T> done, Question question) {
    reading_.run([this, &on, done = std::move(done), question = std::move(question)]() mutable {
      Result<T> answer = question(*reader_);
      on.post([done = std::move(done), answer = std::move(answer)]() mutable {
        done(std::move(answer));
      });
    });
  }

  /// A question that reaches the disk, and whether the writer still trusts it.
  void ping(Executor& on, collab::Done<Unit> done) {
    ask<Unit>(on, std::move(done), [this](SqliteReader& reader) -> Result<Unit> {
      const auto page = reader.list({}, {}, 1);
      if (!page.ok()) return page.error();
      if (writer_.has_failed()) return storage_failure();
      return Unit{};
    });
  }

  /// Unpacks on a thread of its own: a large document takes longer than anybody should wait.
  void save(const DocumentId& document, std::uint64_t index, std::string snapshot, Executor& on,
            collab::Done<Unit> done) {
    unpacking_.run([this, document, index, saved_us = now_us(), &on, snapshot = std::move(snapshot),
                    done = std::move(done)]() mutable {
      auto job = SnapshotJob::unpack(document, index, std::move(snapshot), saved_us);
      if (!job.ok()) {
        on.post([done = std::move(done), error = job.error()] { done(error); });
        return;
      }
      (*job)->waiters.push_back({&on, std::move(done)});
      writer_.submit(std::move(job).value());
    });
  }

 private:
  // Destroyed from the last to the first: the threads finish what is queued while what they use is
  // still there, the writer's connection is the last to close, and then the lock goes.
  Clock& clock_;
  OnTheSpot on_the_spot_;
  DataDirectory directory_;
  SqliteWriter writer_;
  std::unique_ptr<SqliteReader> reader_;
  WorkerThread reading_;
  WorkerThread unpacking_;
};

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteConfig config, Clock& clock,
                                                       Log& log) {
  auto directory = DataDirectory::acquire(std::move(config.directory));
  if (!directory.ok()) return directory.error();
  const std::string path = directory->database_path();
  auto session = open_writing(path, clock);
  if (!session.ok()) return session.error();
  if (Status probed = probe((*session)->db, path); !probed.ok()) return probed.error();
  SnapshotSession snapshots;
  if (const int code = snapshots.prepare((*session)->db); code != SQLITE_OK) {
    return open_error(code, path, "reading its schema");
  }
  std::vector<DocumentId> unfinished;
  if (const int code = unfinished_erasures(**session, unfinished); code != SQLITE_OK) {
    return open_error(code, path, "reading its tables");
  }
  std::int64_t erased = 0;
  if (const int code =
          (*session)->db.query_int("SELECT EXISTS (SELECT 1 FROM erased_documents)", erased);
      code != SQLITE_OK) {
    return open_error(code, path, "reading its tables");
  }
  auto reader = SqliteReader::open(path, log);
  if (!reader.ok()) return reader.error();
  WriterConfig writer_config;
  writer_config.max_group_rows = config.max_group_rows;
  writer_config.busy_timeout_ms = busy_timeout_ms;
  reserve_wal(path + "-wal", writer_config.reserved_wal_bytes);
  auto impl = std::make_unique<Impl>(std::move(directory).value(), std::move(session).value(),
                                     std::move(snapshots), std::move(reader).value(), writer_config,
                                     clock, log);
  impl->finish_erasures(unfinished, erased != 0, log);
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

void SqliteStore::ping(Executor& on, collab::Done<Unit> done) { impl_->ping(on, std::move(done)); }

void SqliteStore::append(const DocumentId& document, Batch batch, Executor& on,
                         collab::Done<Appended> done) {
  const std::int64_t now_us = batch.keys.empty() ? 0 : impl_->now_us();
  impl_->write(append_request(document, std::move(batch), now_us, on, std::move(done)));
}

void SqliteStore::find_edit(const DocumentId& document, std::string key, Executor& on,
                            collab::Done<std::optional<collab::EditKey>> done) {
  impl_->ask<std::optional<collab::EditKey>>(
      on, std::move(done),
      [document, key = std::move(key), now_us = impl_->now_us()](SqliteReader& reader) {
        return reader.find_edit(document, key, now_us);
      });
}

void SqliteStore::load(const DocumentId& document, Executor& on, collab::Done<Loaded> done) {
  impl_->ask<Loaded>(on, std::move(done),
                     [document](SqliteReader& reader) { return reader.load(document); });
}

void SqliteStore::read_rows(const DocumentId& document, std::uint64_t after, std::size_t max_rows,
                            Executor& on, collab::Done<std::vector<collab::LogRow>> done) {
  impl_->ask<std::vector<collab::LogRow>>(on, std::move(done),
                                          [document, after, max_rows](SqliteReader& reader) {
                                            return reader.read_rows(document, after, max_rows);
                                          });
}

void SqliteStore::version_at(const DocumentId& document, std::uint64_t index, Executor& on,
                             collab::Done<rga::VersionVector> done) {
  impl_->ask<rga::VersionVector>(on, std::move(done), [document, index](SqliteReader& reader) {
    return reader.version_at(document, index);
  });
}

void SqliteStore::lease_site(const DocumentId& document, const ClientId& client,
                             collab::Author author, Executor& on,
                             collab::Done<std::uint64_t> done) {
  impl_->write(lease_site_request(document, client, std::move(author), impl_->now_us(), on,
                                  std::move(done)));
}

void SqliteStore::authors_of(const DocumentId& document, std::vector<std::uint64_t> sids,
                             Executor& on, collab::Done<std::vector<collab::SiteAuthor>> done) {
  impl_->ask<std::vector<collab::SiteAuthor>>(
      on, std::move(done), [document, sids = std::move(sids)](SqliteReader& reader) {
        return reader.authors_of(document, sids);
      });
}

void SqliteStore::save_snapshot(const DocumentId& document, std::uint64_t index,
                                std::string snapshot, Executor& on, collab::Done<Unit> done) {
  impl_->save(document, index, std::move(snapshot), on, std::move(done));
}

void SqliteStore::create(NewDocument document, Executor& on, collab::Done<Created> done) {
  impl_->write(create_request(std::move(document), impl_->now_us(), on, std::move(done)));
}

void SqliteStore::get(const DocumentId& document, Executor& on,
                      collab::Done<collab::DocumentRecord> done) {
  impl_->ask<collab::DocumentRecord>(
      on, std::move(done), [document](SqliteReader& reader) { return reader.get(document); });
}

void SqliteStore::list(ListFilter filter, std::string cursor, std::size_t limit, Executor& on,
                       collab::Done<Page> done) {
  impl_->ask<Page>(on, std::move(done),
                   [filter = std::move(filter), cursor = std::move(cursor),
                    limit](SqliteReader& reader) { return reader.list(filter, cursor, limit); });
}

void SqliteStore::rename(const DocumentId& document, std::string title, Executor& on,
                         collab::Done<collab::DocumentRecord> done) {
  impl_->write(rename_request(document, std::move(title), on, std::move(done)));
}

void SqliteStore::role_of(const DocumentId& document, std::string user, Executor& on,
                          collab::Done<access::Role> done) {
  impl_->ask<access::Role>(on, std::move(done),
                           [document, user = std::move(user)](SqliteReader& reader) {
                             return reader.role_of(document, user);
                           });
}

void SqliteStore::list_members(const DocumentId& document, Executor& on,
                               collab::Done<std::vector<collab::DocumentMember>> done) {
  impl_->ask<std::vector<collab::DocumentMember>>(
      on, std::move(done),
      [document](SqliteReader& reader) { return reader.list_members(document); });
}

void SqliteStore::set_member(const DocumentId& document, std::string user, access::Role role,
                             Executor& on, collab::Done<collab::DocumentMember> done) {
  impl_->write(
      set_member_request(document, {std::move(user), role, impl_->now_us()}, on, std::move(done)));
}

void SqliteStore::remove_member(const DocumentId& document, std::string user, Executor& on,
                                collab::Done<Unit> done) {
  impl_->write(
      remove_member_request(document, std::move(user), impl_->now_us(), on, std::move(done)));
}

void SqliteStore::add_token(const DocumentId& document, collab::GivenToken token, Executor& on,
                            collab::Done<Unit> done) {
  impl_->write(add_token_request(document, std::move(token), impl_->now_us(), on, std::move(done)));
}

void SqliteStore::list_tokens(const DocumentId& document, Executor& on,
                              collab::Done<std::vector<collab::GivenToken>> done) {
  impl_->ask<std::vector<collab::GivenToken>>(
      on, std::move(done),
      [document](SqliteReader& reader) { return reader.list_tokens(document); });
}

void SqliteStore::revoke_token(const DocumentId& document, std::string token_id, Executor& on,
                               collab::Done<Unit> done) {
  impl_->write(
      revoke_token_request(document, std::move(token_id), impl_->now_us(), on, std::move(done)));
}

void SqliteStore::revoke_anywhere(std::string token_id, std::int64_t expires_us, Executor& on,
                                  collab::Done<Unit> done) {
  impl_->write(revoke_anywhere_request(std::move(token_id), expires_us, impl_->now_us(), on,
                                       std::move(done)));
}

void SqliteStore::changes_since(std::uint64_t number, Executor& on,
                                collab::Done<std::vector<collab::AccessChange>> done) {
  impl_->ask<std::vector<collab::AccessChange>>(
      on, std::move(done), [number](SqliteReader& reader) { return reader.changes_since(number); });
}

void SqliteStore::remove(const DocumentId& document, Executor& on, collab::Done<Unit> done) {
  impl_->write(remove_request(document, impl_->now_us(), on, std::move(done)));
}

void SqliteStore::undelete(const DocumentId& document, Executor& on,
                           collab::Done<collab::DocumentRecord> done) {
  impl_->write(undelete_request(document, on, std::move(done)));
}

void SqliteStore::erase(const DocumentId& document, Executor& on, collab::Done<Unit> done) {
  impl_->erase(document, [&on, done = std::move(done)](Result<Unit> erased) mutable {
    on.post([done = std::move(done), erased = std::move(erased)] { done(erased); });
  });
}

void SqliteStore::import(HistoryImport history, Executor& on,
                         collab::Done<collab::DocumentRecord> done) {
  impl_->write(import_request(std::move(history), impl_->now_us(), on, std::move(done)));
}

void SqliteStore::load_at(const DocumentId& document, std::uint64_t index, Executor& on,
                          collab::Done<Loaded> done) {
  impl_->ask<Loaded>(on, std::move(done), [document, index](SqliteReader& reader) {
    return reader.load_at(document, index);
  });
}

void SqliteStore::index_at_time(const DocumentId& document, std::int64_t time_us, Executor& on,
                                collab::Done<std::uint64_t> done) {
  impl_->ask<std::uint64_t>(on, std::move(done), [document, time_us](SqliteReader& reader) {
    return reader.index_at_time(document, time_us);
  });
}

void SqliteStore::row_infos(const DocumentId& document, std::uint64_t before, std::size_t max_rows,
                            Executor& on, collab::Done<std::vector<collab::RowInfo>> done) {
  impl_->ask<std::vector<collab::RowInfo>>(on, std::move(done),
                                           [document, before, max_rows](SqliteReader& reader) {
                                             return reader.row_infos(document, before, max_rows);
                                           });
}

void SqliteStore::writing_infos(const DocumentId& document, std::uint64_t after, std::uint64_t last,
                                Executor& on, collab::Done<std::vector<collab::WritingInfo>> done) {
  impl_->ask<std::vector<collab::WritingInfo>>(on, std::move(done),
                                               [document, after, last](SqliteReader& reader) {
                                                 return reader.writing_infos(document, after, last);
                                               });
}

void SqliteStore::list_versions(const DocumentId& document, Executor& on,
                                collab::Done<std::vector<collab::NamedVersion>> done) {
  impl_->ask<std::vector<collab::NamedVersion>>(
      on, std::move(done),
      [document](SqliteReader& reader) { return reader.list_versions(document); });
}

void SqliteStore::name_version(const DocumentId& document, std::string name, std::uint64_t index,
                               Executor& on, collab::Done<collab::NamedVersion> done) {
  collab::NamedVersion version{std::move(name), index, impl_->now_us()};
  impl_->write(name_version_request(document, std::move(version), on, std::move(done)));
}

void SqliteStore::remove_version(const DocumentId& document, std::string name, Executor& on,
                                 collab::Done<Unit> done) {
  impl_->write(remove_version_request(document, std::move(name), on, std::move(done)));
}

void SqliteStore::log_ends(std::vector<DocumentId> documents, Executor& on,
                           collab::Done<std::vector<collab::LogEnd>> done) {
  impl_->ask<std::vector<collab::LogEnd>>(on, std::move(done),
                                          [documents = std::move(documents)](SqliteReader& reader) {
                                            return reader.log_ends(documents);
                                          });
}

void SqliteStore::compare_state(const DocumentId& document, StateClaim claim, Executor& on,
                                collab::Done<std::uint64_t> done) {
  impl_->write(compare_state_request(document, claim, impl_->now_us(), on, std::move(done)));
}

void SqliteStore::beat(collab::Replica replica, Executor& on, collab::Done<Unit> done) {
  impl_->write(beat_request(std::move(replica), impl_->now_us(), on, std::move(done)));
}

void SqliteStore::list_replicas(Executor& on, collab::Done<std::vector<collab::Replica>> done) {
  impl_->ask<std::vector<collab::Replica>>(
      on, std::move(done), [](SqliteReader& reader) { return reader.list_replicas(); });
}

void SqliteStore::leave(std::string replica_id, Uuid instance, Executor& on,
                        collab::Done<Unit> done) {
  impl_->write(leave_request(std::move(replica_id), instance, on, std::move(done)));
}

void SqliteStore::replication_secret(Executor& on, collab::Done<std::string> done) {
  impl_->write(replication_secret_request(impl_->now_us(), on, std::move(done)));
}

}  // namespace weft::storage

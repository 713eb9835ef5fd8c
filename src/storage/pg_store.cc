#include "storage/pg_store.h"

#include <functional>
#include <utility>
#include <vector>

#include "storage/pg_access.h"
#include "storage/pg_erase.h"
#include "storage/pg_pool.h"
#include "storage/pg_reader.h"
#include "storage/pg_replicas.h"
#include "storage/pg_schema.h"
#include "storage/pg_snapshots.h"
#include "storage/pg_tasks.h"
#include "storage/pg_versions.h"
#include "storage/pg_writer.h"

namespace weft::storage {
namespace {

/// A question to a reader.
struct Question {
  std::function<void(PgReader&)> ask;
  std::function<void(const Error&)> refuse;

  std::size_t weight() const { return 1; }
  void fail(const Error& error) { refuse(error); }
};

using Links = std::vector<std::unique_ptr<PgLink>>;

Result<Links> open_links(const PgConfig& config, std::size_t count,
                         std::span<const PgStatement> statements, PgLimits limits) {
  Links links;
  for (std::size_t i = 0; i < count; ++i) {
    auto link = PgLink::open(config.target, statements, limits);
    if (!link.ok()) return link.error();
    links.push_back(std::move(link).value());
  }
  return links;
}

std::vector<PgStatement> together(std::initializer_list<std::span<const PgStatement>> sets) {
  std::vector<PgStatement> statements;
  for (const auto& some : sets) statements.insert(statements.end(), some.begin(), some.end());
  return statements;
}

std::span<const PgStatement> task_statements() {
  static const std::vector<PgStatement> all =
      together({pg_erase_statements(), pg_version_statements(), pg_access_changes()});
  return all;
}

std::span<const PgStatement> question_statements() {
  static const std::vector<PgStatement> all =
      together({pg_reader_statements(), pg_access_questions(), pg_replica_statements()});
  return all;
}

}  // namespace

class PgStore::Impl {
 public:
  Impl(Links writers, Links readers, std::unique_ptr<PgLink> snapshots,
       std::unique_ptr<PgLink> tasks, const PgConfig& config, Clock& clock, Log& log)
      : clock_(clock),
        log_(log),
        writer_(std::move(writers), config.max_group_rows, log),
        reading_(
            "readers", std::move(readers), 1,
            [this](PgLink& link, const auto& questions) { read(link, questions); }, log),
        snapshots_(std::move(snapshots), log),
        tasks_(std::move(tasks), log) {}

  std::int64_t now_us() const { return clock_.unix_us(); }

  void write(const DocumentId& document, std::unique_ptr<PgRequest> request) {
    writer_.submit(document, std::move(request));
  }

  /// Runs `question(reader)` on a reading thread and posts its answer.
  template <class T, class Ask>
  void ask(Executor& on, collab::Done<T> done, Ask ask) {
    auto question = std::make_unique<Question>();
    const auto answer = std::make_shared<collab::Done<T>>(std::move(done));
    question->ask = [&on, answer, ask = std::move(ask)](PgReader& reader) {
      on.post(
          [answer, result = Result<T>(ask(reader))]() mutable { (*answer)(std::move(result)); });
    };
    question->refuse = [&on, answer](const Error& error) {
      on.post([answer, error] { (*answer)(error); });
    };
    reading_.submit(std::move(question));
  }

  /// A question to the database, and whether those who commit can reach it.
  void ping(Executor& on, collab::Done<Unit> done) {
    ask<Unit>(on, std::move(done), [this](PgReader& reader) -> Result<Unit> {
      const auto page = reader.list({}, {}, 1);
      if (!page.ok()) return page.error();
      if (!writer_.is_up()) return database_unavailable("trying to reach it again");
      return Unit{};
    });
  }

  void save(std::unique_ptr<PgSnapshotJob> job) { snapshots_.submit(std::move(job)); }

  /// Runs `work(connection)` in its turn and posts its answer.
  template <class T, class Work>
  void task(Executor& on, collab::Done<T> done, Work work) {
    const auto answer = std::make_shared<collab::Done<T>>(std::move(done));
    const auto post = [&on, answer](Result<T> result) {
      on.post([answer, result = std::move(result)]() mutable { (*answer)(std::move(result)); });
    };
    tasks_.submit({[post, work = std::move(work)](PgConnection& there) { post(work(there)); },
                   [post](const Error& error) { post(error); }});
  }

  /// What was cut short. Another server may be at it, too: that does no harm.
  void finish_erasures(const std::vector<DocumentId>& documents) {
    for (const DocumentId& document : documents) {
      tasks_.submit({[this, document, now = now_us()](PgConnection& there) {
                       const Status erased = pg_erase(there, document, now);
                       if (!erased.ok()) note(erased.error());
                     },
                     [this](const Error& error) { note(error); }});
    }
  }

 private:
  void note(const Error& error) {
    if (error.error_class != ErrorClass::gone)
      log_.write(LogLevel::error, error.code, error.message);
  }

  void read(PgLink& link, const PgPool<Question>::Jobs& questions) {
    PgReader reader(link.connection(), log_);
    for (const auto& question : questions) question->ask(reader);
    if (!link.connection().is_alive()) link.drop();
  }

  Clock& clock_;
  Log& log_;
  // Destroyed from the last to the first: the threads finish what is queued.
  PgWriter writer_;
  PgPool<Question> reading_;
  PgSnapshots snapshots_;
  PgTasks tasks_;
};

PgStore::PgStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PgStore::~PgStore() = default;

Result<std::unique_ptr<PgStore>> PgStore::open(const PgConfig& config, Clock& clock, Log& log) {
  std::vector<DocumentId> unfinished;
  {
    auto connection = PgConnection::open(config.target, {}, config.limits);
    if (!connection.ok()) return connection.error();
    if (Status migrated = pg_migrate(**connection, config.target, clock); !migrated.ok()) {
      return migrated.error();
    }
    auto found = unfinished_erasures(**connection);
    if (!found.ok()) return found.error();
    unfinished = std::move(found).value();
  }
  const PgLimits locking{config.limits.answer, config.longest_lock_pause};
  auto writers = open_links(config, config.writers, pg_group_statements(), locking);
  if (!writers.ok()) return writers.error();
  auto readers = open_links(config, config.readers, question_statements(), config.limits);
  if (!readers.ok()) return readers.error();
  auto snapshots = open_links(config, 1, pg_snapshot_statements(), config.limits);
  if (!snapshots.ok()) return snapshots.error();
  auto tasks = open_links(config, 1, task_statements(), locking);
  if (!tasks.ok()) return tasks.error();
  auto impl = std::make_unique<Impl>(std::move(writers).value(), std::move(readers).value(),
                                     std::move(snapshots->front()), std::move(tasks->front()),
                                     config, clock, log);
  impl->finish_erasures(unfinished);
  return std::unique_ptr<PgStore>(new PgStore(std::move(impl)));
}

void PgStore::ping(Executor& on, collab::Done<Unit> done) { impl_->ping(on, std::move(done)); }

void PgStore::append(const DocumentId& document, Batch batch, Executor& on,
                     collab::Done<Appended> done) {
  const std::int64_t now_us = batch.keys.empty() ? 0 : impl_->now_us();
  impl_->write(document, pg_append(document, std::move(batch), now_us, on, std::move(done)));
}

void PgStore::find_edit(const DocumentId& document, std::string key, Executor& on,
                        collab::Done<std::optional<collab::EditKey>> done) {
  impl_->ask<std::optional<collab::EditKey>>(
      on, std::move(done),
      [document, key = std::move(key), now_us = impl_->now_us()](PgReader& reader) {
        return reader.find_edit(document, key, now_us);
      });
}

void PgStore::load(const DocumentId& document, Executor& on, collab::Done<Loaded> done) {
  impl_->ask<Loaded>(on, std::move(done),
                     [document](PgReader& reader) { return reader.load(document); });
}

void PgStore::read_rows(const DocumentId& document, std::uint64_t after, std::size_t max_rows,
                        Executor& on, collab::Done<std::vector<collab::LogRow>> done) {
  impl_->ask<std::vector<collab::LogRow>>(on, std::move(done),
                                          [document, after, max_rows](PgReader& reader) {
                                            return reader.read_rows(document, after, max_rows);
                                          });
}

void PgStore::version_at(const DocumentId& document, std::uint64_t index, Executor& on,
                         collab::Done<rga::VersionVector> done) {
  impl_->ask<rga::VersionVector>(on, std::move(done), [document, index](PgReader& reader) {
    return reader.version_at(document, index);
  });
}

void PgStore::lease_site(const DocumentId& document, const ClientId& client, collab::Author author,
                         Executor& on, collab::Done<std::uint64_t> done) {
  impl_->write(document, pg_lease_site(document, client, std::move(author), impl_->now_us(), on,
                                       std::move(done)));
}

void PgStore::authors_of(const DocumentId& document, std::vector<std::uint64_t> sids, Executor& on,
                         collab::Done<std::vector<collab::SiteAuthor>> done) {
  impl_->ask<std::vector<collab::SiteAuthor>>(on, std::move(done),
                                              [document, sids = std::move(sids)](PgReader& reader) {
                                                return reader.authors_of(document, sids);
                                              });
}

void PgStore::save_snapshot(const DocumentId& document, std::uint64_t index, std::string snapshot,
                            Executor& on, collab::Done<Unit> done) {
  impl_->save(std::make_unique<PgSnapshotJob>(PgSnapshotJob{
      document, index, std::move(snapshot), impl_->now_us(), {&on, std::move(done)}}));
}

void PgStore::create(NewDocument document, Executor& on, collab::Done<Created> done) {
  const DocumentId id = document.id;
  impl_->write(id, pg_create(std::move(document), impl_->now_us(), on, std::move(done)));
}

void PgStore::get(const DocumentId& document, Executor& on,
                  collab::Done<collab::DocumentRecord> done) {
  impl_->ask<collab::DocumentRecord>(on, std::move(done),
                                     [document](PgReader& reader) { return reader.get(document); });
}

void PgStore::list(ListFilter filter, std::string cursor, std::size_t limit, Executor& on,
                   collab::Done<Page> done) {
  impl_->ask<Page>(on, std::move(done),
                   [filter = std::move(filter), cursor = std::move(cursor),
                    limit](PgReader& reader) { return reader.list(filter, cursor, limit); });
}

void PgStore::rename(const DocumentId& document, std::string title, Executor& on,
                     collab::Done<collab::DocumentRecord> done) {
  impl_->task<collab::DocumentRecord>(on, std::move(done),
                                      [document, title = std::move(title)](PgConnection& there) {
                                        return pg_rename(there, document, title);
                                      });
}

void PgStore::role_of(const DocumentId& document, std::string user, Executor& on,
                      collab::Done<access::Role> done) {
  impl_->ask<access::Role>(on, std::move(done),
                           [document, user = std::move(user)](PgReader& reader) {
                             return pg_role_of(reader.connection(), document, user);
                           });
}

void PgStore::list_members(const DocumentId& document, Executor& on,
                           collab::Done<std::vector<collab::DocumentMember>> done) {
  impl_->ask<std::vector<collab::DocumentMember>>(
      on, std::move(done), [document](PgReader& reader) {
        return pg_list_members(reader.connection(), document, reader.log());
      });
}

void PgStore::set_member(const DocumentId& document, std::string user, access::Role role,
                         Executor& on, collab::Done<collab::DocumentMember> done) {
  impl_->task<collab::DocumentMember>(
      on, std::move(done),
      [document, member = collab::DocumentMember{std::move(user), role, impl_->now_us()}](
          PgConnection& there) { return pg_set_member(there, document, member); });
}

void PgStore::remove_member(const DocumentId& document, std::string user, Executor& on,
                            collab::Done<Unit> done) {
  impl_->task<Unit>(on, std::move(done),
                    [document, user = std::move(user), now = impl_->now_us()](PgConnection& there) {
                      return pg_remove_member(there, document, user, now);
                    });
}

void PgStore::add_token(const DocumentId& document, collab::GivenToken token, Executor& on,
                        collab::Done<Unit> done) {
  impl_->task<Unit>(on, std::move(done),
                    [document, token = std::move(token), now = impl_->now_us()](
                        PgConnection& there) { return pg_add_token(there, document, token, now); });
}

void PgStore::list_tokens(const DocumentId& document, Executor& on,
                          collab::Done<std::vector<collab::GivenToken>> done) {
  impl_->ask<std::vector<collab::GivenToken>>(on, std::move(done), [document](PgReader& reader) {
    return pg_list_tokens(reader.connection(), document, reader.log());
  });
}

void PgStore::revoke_token(const DocumentId& document, std::string token_id, Executor& on,
                           collab::Done<Unit> done) {
  impl_->task<Unit>(
      on, std::move(done),
      [document, token_id = std::move(token_id), now = impl_->now_us()](PgConnection& there) {
        return pg_revoke_token(there, document, token_id, now);
      });
}

void PgStore::revoke_anywhere(std::string token_id, std::int64_t expires_us, Executor& on,
                              collab::Done<Unit> done) {
  impl_->task<Unit>(
      on, std::move(done),
      [token_id = std::move(token_id), expires_us, now = impl_->now_us()](PgConnection& there) {
        return pg_revoke_anywhere(there, token_id, expires_us, now);
      });
}

void PgStore::changes_since(std::uint64_t number, Executor& on,
                            collab::Done<std::vector<collab::AccessChange>> done) {
  impl_->ask<std::vector<collab::AccessChange>>(on, std::move(done), [number](PgReader& reader) {
    return pg_changes_since(reader.connection(), number);
  });
}

void PgStore::remove(const DocumentId& document, Executor& on, collab::Done<Unit> done) {
  impl_->write(document, pg_remove(document, impl_->now_us(), on, std::move(done)));
}

void PgStore::undelete(const DocumentId& document, Executor& on,
                       collab::Done<collab::DocumentRecord> done) {
  impl_->write(document, pg_undelete(document, on, std::move(done)));
}

void PgStore::erase(const DocumentId& document, Executor& on, collab::Done<Unit> done) {
  impl_->task<Unit>(on, std::move(done), [document, now = impl_->now_us()](PgConnection& there) {
    return pg_erase(there, document, now);
  });
}

void PgStore::import(HistoryImport history, Executor& on,
                     collab::Done<collab::DocumentRecord> done) {
  const DocumentId id = history.archive.record.id;
  impl_->write(id, pg_import(std::move(history), impl_->now_us(), on, std::move(done)));
}

void PgStore::load_at(const DocumentId& document, std::uint64_t index, Executor& on,
                      collab::Done<Loaded> done) {
  impl_->ask<Loaded>(on, std::move(done), [document, index](PgReader& reader) {
    return reader.load_at(document, index);
  });
}

void PgStore::index_at_time(const DocumentId& document, std::int64_t time_us, Executor& on,
                            collab::Done<std::uint64_t> done) {
  impl_->ask<std::uint64_t>(on, std::move(done), [document, time_us](PgReader& reader) {
    return reader.index_at_time(document, time_us);
  });
}

void PgStore::row_infos(const DocumentId& document, std::uint64_t before, std::size_t max_rows,
                        Executor& on, collab::Done<std::vector<collab::RowInfo>> done) {
  impl_->ask<std::vector<collab::RowInfo>>(on, std::move(done),
                                           [document, before, max_rows](PgReader& reader) {
                                             return reader.row_infos(document, before, max_rows);
                                           });
}

void PgStore::writing_infos(const DocumentId& document, std::uint64_t after, std::uint64_t last,
                            Executor& on, collab::Done<std::vector<collab::WritingInfo>> done) {
  impl_->ask<std::vector<collab::WritingInfo>>(on, std::move(done),
                                               [document, after, last](PgReader& reader) {
                                                 return reader.writing_infos(document, after, last);
                                               });
}

void PgStore::list_versions(const DocumentId& document, Executor& on,
                            collab::Done<std::vector<collab::NamedVersion>> done) {
  impl_->ask<std::vector<collab::NamedVersion>>(
      on, std::move(done), [document](PgReader& reader) { return reader.list_versions(document); });
}

void PgStore::name_version(const DocumentId& document, std::string name, std::uint64_t index,
                           Executor& on, collab::Done<collab::NamedVersion> done) {
  collab::NamedVersion version{std::move(name), index, impl_->now_us()};
  impl_->task<collab::NamedVersion>(on, std::move(done),
                                    [document, version = std::move(version)](PgConnection& there) {
                                      return pg_name_version(there, document, version);
                                    });
}

void PgStore::remove_version(const DocumentId& document, std::string name, Executor& on,
                             collab::Done<Unit> done) {
  impl_->task<Unit>(on, std::move(done), [document, name = std::move(name)](PgConnection& there) {
    return pg_remove_version(there, document, name);
  });
}

// What servers tell each other is written by the readers: erasing keeps the tasks' connection busy
// for longer than a server may be silent.
void PgStore::log_ends(std::vector<DocumentId> documents, Executor& on,
                       collab::Done<std::vector<collab::LogEnd>> done) {
  impl_->ask<std::vector<collab::LogEnd>>(on, std::move(done),
                                          [documents = std::move(documents)](PgReader& reader) {
                                            return pg_log_ends(reader.connection(), documents);
                                          });
}

void PgStore::compare_state(const DocumentId& document, StateClaim claim, Executor& on,
                            collab::Done<std::uint64_t> done) {
  impl_->ask<std::uint64_t>(on, std::move(done),
                            [document, claim, now_us = impl_->now_us()](PgReader& reader) {
                              return pg_compare_state(reader, document, claim, now_us);
                            });
}

void PgStore::beat(collab::Replica replica, Executor& on, collab::Done<Unit> done) {
  impl_->ask<Unit>(on, std::move(done), [replica = std::move(replica)](PgReader& reader) {
    return pg_beat(reader.connection(), replica);
  });
}

void PgStore::list_replicas(Executor& on, collab::Done<std::vector<collab::Replica>> done) {
  impl_->ask<std::vector<collab::Replica>>(
      on, std::move(done), [](PgReader& reader) { return pg_list_replicas(reader.connection()); });
}

void PgStore::leave(std::string replica_id, Uuid instance, Executor& on, collab::Done<Unit> done) {
  impl_->ask<Unit>(on, std::move(done),
                   [replica_id = std::move(replica_id), instance](PgReader& reader) {
                     return pg_leave(reader.connection(), replica_id, instance);
                   });
}

void PgStore::replication_secret(Executor& on, collab::Done<std::string> done) {
  impl_->ask<std::string>(on, std::move(done), [now_us = impl_->now_us()](PgReader& reader) {
    return pg_replication_secret(reader.connection(), now_us);
  });
}

}  // namespace weft::storage

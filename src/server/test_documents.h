// What stands behind the REST API, for the tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collab/history_ports.h"
#include "server/document_loops.h"
#include "server/rest_api.h"

namespace weft::server {

/// Work runs where it is posted.
class Inline final : public Executor {
 public:
  void post(std::function<void()> work) override { work(); }
  void post_after(std::int64_t, std::function<void()> work) override { work(); }
};

/// What is posted runs when it is told to; what is posted for later, never.
class Held final : public Executor {
 public:
  void post(std::function<void()> work) override { work_.push_back(std::move(work)); }
  void post_after(std::int64_t, std::function<void()>) override {}
  void step() {
    const auto work = std::move(work_.front());
    work_.pop_front();
    work();
  }
  void run() {
    while (!work_.empty()) step();
  }

 private:
  std::deque<std::function<void()>> work_;
};

inline constexpr std::int64_t now_s = 1'800'000'000;

class StoppedClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override { return 0; }
  std::int64_t unix_us() const override { return now_s * 1'000'000; }
};

class Counting final : public Random {
 public:
  std::uint64_t next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

/// Answers everything with one error, or with one record; remembers what was asked for.
class FakeDocuments final : public collab::Catalog, public DocumentLoops {
 public:
  Error error;
  collab::DocumentRecord record;
  bool fails = false;
  std::vector<std::string> asked;
  NewDocument created;
  ListFilter listed;
  std::string text = "the text";
  std::vector<collab::TextEdit> edits;

  void create(NewDocument document, Executor&, collab::Done<Created> done) override {
    asked.emplace_back("create " + document.idempotency_key);
    created = document;
    record.id = document.id;
    record.title = document.title;
    if (fails) return done(error);
    done(Created{record, true});
  }
  void get(const DocumentId&, Executor&, collab::Done<collab::DocumentRecord> done) override {
    asked.emplace_back("get");
    if (fails) return done(error);
    done(record);
  }
  void rename(const DocumentId&, std::string title, Executor&,
              collab::Done<collab::DocumentRecord> done) override {
    asked.emplace_back("rename " + title);
    if (fails) return done(error);
    done(record);
  }
  void list(ListFilter filter, std::string cursor, std::size_t limit, Executor&,
            collab::Done<Page> done) override {
    listed = filter;
    asked.emplace_back("list " + cursor + " " + std::to_string(limit));
    if (fails) return done(error);
    done(Page{{record}, "next"});
  }
  void remove(const DocumentId&, Executor&, collab::Done<Unit> done) override {
    asked.emplace_back("remove");
    if (fails) return done(error);
    done(Unit{});
  }
  void undelete(const DocumentId&, Executor&, collab::Done<collab::DocumentRecord> done) override {
    asked.emplace_back("undelete");
    if (fails) return done(error);
    done(record);
  }
  void erase(const DocumentId&, Executor&, collab::Done<Unit> done) override {
    asked.emplace_back("erase");
    if (fails) return done(error);
    done(Unit{});
  }
  void read_text(const DocumentId&, Executor&, collab::Done<collab::TextAnswer> done) override {
    asked.emplace_back("text");
    if (fails) return done(error);
    done(collab::TextAnswer{record, "the text", 3});
  }
  void edit(const DocumentId&, collab::ServerEdit request, Executor&,
            collab::Done<collab::EditAnswer> done) override {
    asked.emplace_back("edit");
    if (fails) return done(error);
    rga::Document document;
    document.set_local_site(1);
    document.insert({0}, text, nullptr);
    const auto planned = request.plan(document, record.last_index);
    if (!planned.ok()) return done(planned.error());
    edits = *planned;
    done(collab::EditAnswer{record, record.last_index});
  }
  void push(const DocumentId&, collab::ServerPush, Executor&,
            collab::Done<collab::PushAnswer> done) override {
    asked.emplace_back("push");
    done(error);
  }
  void read_presence(const DocumentId&, Executor&,
                     collab::Done<collab::PresenceAnswer> done) override {
    asked.emplace_back("presence");
    done(error);
  }
  void take_snapshot(const DocumentId&, Executor&, collab::Done<std::uint64_t> done) override {
    asked.emplace_back("snapshot");
    done(error);
  }
  void watch(const DocumentId&, std::weak_ptr<collab::Watcher>) override {
    asked.emplace_back("watch");
  }
  void forget(const DocumentId&, Executor&, std::function<void()> done) override {
    asked.emplace_back("forget");
    done();
  }
};

/// A whole request, from the door to the answer.
inline void ask_api(const RestApi& api, const Request& request, Executor& loop, Respond respond) {
  auto judged = api.judge(request);
  if (auto* early = std::get_if<Response>(&judged)) return respond(std::move(*early));
  api.answer(std::get<Entry>(std::move(judged)), request, loop, std::move(respond));
}

class QuietLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view) override {}
};

/// A log that cannot be read: these tests do not look back.
class NoLog : public collab::Journal, public collab::History {
 public:
  void append(const DocumentId&, Batch, Executor&, collab::Done<Appended> done) override {
    done(error);
  }
  void find_edit(const DocumentId&, std::string, Executor&,
                 collab::Done<std::optional<collab::EditKey>> done) override {
    done(error);
  }
  void load(const DocumentId&, Executor&, collab::Done<Loaded> done) override { done(error); }
  void read_rows(const DocumentId&, std::uint64_t, std::size_t, Executor&,
                 collab::Done<std::vector<collab::LogRow>> done) override {
    done(error);
  }
  void version_at(const DocumentId&, std::uint64_t, Executor&,
                  collab::Done<rga::VersionVector> done) override {
    done(error);
  }
  void lease_site(const DocumentId&, const ClientId&, collab::Author, Executor&,
                  collab::Done<std::uint64_t> done) override {
    done(error);
  }
  void authors_of(const DocumentId&, std::vector<std::uint64_t>, Executor&,
                  collab::Done<std::vector<collab::SiteAuthor>> done) override {
    done(error);
  }
  void save_snapshot(const DocumentId&, std::uint64_t, std::string, Executor&,
                     collab::Done<Unit> done) override {
    done(error);
  }
  void log_ends(std::vector<DocumentId>, Executor&,
                collab::Done<std::vector<collab::LogEnd>> done) override {
    done(error);
  }
  void compare_state(const DocumentId&, StateClaim, Executor&,
                     collab::Done<std::uint64_t> done) override {
    done(error);
  }
  void load_at(const DocumentId&, std::uint64_t, Executor&,
               collab::Done<collab::Journal::Loaded> done) override {
    done(error);
  }
  void index_at_time(const DocumentId&, std::int64_t, Executor&,
                     collab::Done<std::uint64_t> done) override {
    done(error);
  }
  void row_infos(const DocumentId&, std::uint64_t, std::size_t, Executor&,
                 collab::Done<std::vector<collab::RowInfo>> done) override {
    done(error);
  }
  void writing_infos(const DocumentId&, std::uint64_t, std::uint64_t, Executor&,
                     collab::Done<std::vector<collab::WritingInfo>> done) override {
    done(error);
  }
  void name_version(const DocumentId&, std::string, std::uint64_t, Executor&,
                    collab::Done<collab::NamedVersion> done) override {
    done(error);
  }
  void list_versions(const DocumentId&, Executor&,
                     collab::Done<std::vector<collab::NamedVersion>> done) override {
    done(error);
  }
  void remove_version(const DocumentId&, std::string, Executor&, collab::Done<Unit> done) override {
    done(error);
  }

 private:
  const Error error{ErrorClass::unavailable, "read_failed", "there is no log"};
};

}  // namespace weft::server

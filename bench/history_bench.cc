// How long looking back takes in a document of 260,000 edits, each in a row of its own (the worst
// case: what people type becomes longer rows), with snapshots every 2,000 rows as the server stores
// them. On SQLite and PostgreSQL, which is started for it, with its directory beside.
//
//   history_bench [DIRECTORY] [ROWS] [sqlite|postgres]
//
// The floor is the newest version: the same bytes, read and unpacked without a single row.
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "bench/ports.h"
#include "collab/history.h"
#include "rga/op_codec.h"
#include "storage/document_stats.h"
#include "storage/pg_row_source.h"
#include "storage/pg_store.h"
#include "storage/sqlite_row_source.h"
#include "storage/sqlite_store.h"
#include "tests/support/postgres_server.h"

namespace weft {
namespace {

using bench::seconds_since;
using bench::SteadyClock;

constexpr std::uint64_t rows_between_snapshots = 2000;  // ShardConfig::snapshot_every_rows
constexpr int questions = 50;

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "history_bench: %s\n", error.message.c_str());
  std::_Exit(1);  // threads may still be at work: no destructors
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) give_up(result.error());
  return std::move(result).value();
}

/// Five people at one text, like an article: mostly typing on, some deleting, now and then
/// elsewhere. A character an edit, a row an edit.
class Writing {
 public:
  std::vector<collab::LogRow> take(std::uint64_t rows) {
    std::vector<collab::LogRow> all;
    for (std::uint64_t i = 0; i < rows; ++i) all.push_back(next());
    return all;
  }
  std::string saved() const {
    std::string bytes;
    document_.save(bytes);
    return bytes;
  }

 private:
  struct Person {
    std::uint32_t caret = 0;
  };

  collab::LogRow next() {
    const std::size_t who = (index_ / 50) % 5;  // for some seconds each
    std::uint32_t& caret = people_[who].caret;
    document_.set_local_site(2 + who);
    caret = std::min(caret, document_.length());
    if (random_() % 40 == 0)
      caret = static_cast<std::uint32_t>(random_() % (document_.length() + 1));
    if (caret > 0 && random_() % 4 == 0) {
      document_.erase({--caret}, 1, &out_);
    } else {
      const char letter = random_() % 60 == 0 ? '\n' : static_cast<char>('a' + random_() % 26);
      document_.insert({caret++}, std::string_view(&letter, 1), &out_);
    }
    const std::string bytes = out_.take();
    rga::OpReader in(bytes);
    rga::Operation op;
    if (!in.next(op)) give_up({ErrorClass::invalid, "bench", "no operation came out"});
    collab::LogRow row;
    row.base = index_++;
    row.kind = op.kind;
    row.len = op.len;
    row.id = op.id;
    row.ref = op.ref;
    row.text = op.text;
    row.timestamp_us = time_us_ += random_() % 3000 == 0 ? 900'000'000 : 200'000;
    return row;
  }

  rga::Document document_;
  rga::OpWriter out_;
  Person people_[5];
  std::mt19937_64 random_{20'261'123};
  std::uint64_t index_ = 0;
  std::int64_t time_us_ = 1'700'000'000'000'000;
};

class Bench {
 public:
  Bench(std::unique_ptr<storage::Store> store, std::uint64_t rows)
      : store_(std::move(store)), rows_(rows) {}

  void write() {
    collab::Catalog::NewDocument document;
    document.id = id_;
    document.title = "bench";
    must(loop_.wait<collab::Catalog::Created>(
        [&](auto done) { store_->create(document, loop_, done); }));
    for (std::uint64_t person = 1; person <= 5; ++person) {
      must(loop_.wait<std::uint64_t>([&](auto done) {
        store_->lease_site(id_, Uuid::from_random(person, person), {}, loop_, done);
      }));
    }
    Writing writing;
    const auto start = SteadyClock::now();
    for (std::uint64_t last = 0; last < rows_;) {
      const std::uint64_t count = std::min(rows_between_snapshots, rows_ - last);
      auto rows = writing.take(count);
      last = must(loop_.wait<collab::Journal::Appended>([&](auto done) {
               store_->append(id_, {last, std::move(rows)}, loop_, done);
             })).last_index;
      must(loop_.wait<Unit>(
          [&](auto done) { store_->save_snapshot(id_, last, writing.saved(), loop_, done); }));
    }
    std::printf("wrote %llu rows and their snapshots in %.1f s\n",
                static_cast<unsigned long long>(rows_), seconds_since(start));
  }

  void measure() {
    time("floor: the newest version", [&] { text_at(rows_); });
    time("  of it: reading", [&] { load_at(rows_); });
    time("  of it: the core's part",
         [&, loaded = load_at(rows_)] { must(collab::state_of(loaded)).text(); });
    time("text at a random index", [&] { text_at(random_() % (rows_ + 1)); });
    std::uint64_t longest = 0;
    std::uint64_t tail = 0;
    for (std::uint64_t index = 0; index <= rows_; index += 997) {
      if (const auto loaded = load_at(index); loaded.tail.size() > tail) {
        tail = loaded.tail.size();
        longest = index;
      }
    }
    std::printf("  at most %llu rows are replayed (index %llu)\n",
                static_cast<unsigned long long>(tail), static_cast<unsigned long long>(longest));
    time("  text there", [&] { text_at(longest); });
    time("  of it: the core's part",
         [&, loaded = load_at(longest)] { must(collab::state_of(loaded)).text(); });
    time("index at a random time", [&] {
      must(loop_.wait<std::uint64_t>([&](auto done) {
        store_->index_at_time(
            id_, 1'700'000'000'000'000 + static_cast<std::int64_t>(random_() % (rows_ * 200'000)),
            loop_, done);
      }));
    });
    time("unified diff of two versions, 10,000 rows apart", [&] {
      const std::uint64_t from = random_() % (rows_ - std::min<std::uint64_t>(rows_, 10'000) + 1);
      collab::unified_diff(text_at(from), text_at(std::min(rows_, from + 10'000)), "a", "b");
    });
    time(
        "blame of the newest version",
        [&] {
          const rga::Document document = must(collab::state_of(load_at(rows_)));
          const auto writings = must(loop_.wait<std::vector<collab::WritingInfo>>(
              [&](auto done) { collab::collect_writings(*store_, id_, rows_, loop_, done); }));
          must(collab::blame(document, writings));
        },
        10);
    time("4,000 rows of the list of versions", [&] {
      const auto infos = must(loop_.wait<std::vector<collab::RowInfo>>(
          [&](auto done) { store_->row_infos(id_, 1 + random_() % rows_, 4000, loop_, done); }));
      collab::WorkSessions sessions;
      for (const auto& info : infos) sessions.add(info);
    });
  }

  void close() { store_.reset(); }

 private:
  collab::Journal::Loaded load_at(std::uint64_t index) {
    return must(loop_.wait<collab::Journal::Loaded>(
        [&](auto done) { store_->load_at(id_, index, loop_, done); }));
  }
  std::string text_at(std::uint64_t index) { return must(collab::state_of(load_at(index))).text(); }

  template <class Work>
  void time(const char* what, Work&& work, int times = questions) {
    std::vector<double> ms;
    for (int i = 0; i < times; ++i) {
      const auto start = SteadyClock::now();
      work();
      ms.push_back(1000 * seconds_since(start));
    }
    std::sort(ms.begin(), ms.end());
    std::printf("%-50s median %8.2f ms  max %8.2f ms\n", what, ms[ms.size() / 2], ms.back());
    std::fflush(stdout);
  }

  bench::Loop loop_;
  std::unique_ptr<storage::Store> store_;
  const std::uint64_t rows_;
  const DocumentId id_ = Uuid::from_random(1, 1);
  std::mt19937_64 random_{7};
};

void print_sizes(storage::RowSource& source) {
  must(storage::measure(source, [](const storage::DocumentStats& one) {
    std::printf("%llu characters, %llu tombstones, log %.1f MB, snapshots %.1f MB\n",
                static_cast<unsigned long long>(one.characters),
                static_cast<unsigned long long>(one.tombstones),
                1e-6 * static_cast<double>(one.sizes.log_bytes),
                1e-6 * static_cast<double>(one.sizes.snapshot_bytes));
  }));
}

int run(const std::string& parent, std::uint64_t rows, const std::string& only) {
  std::string directory = parent + "/weft-history-bench-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    std::fprintf(stderr, "history_bench: cannot create a directory in %s\n", parent.c_str());
    return 1;
  }
  bench::SystemClock clock;
  bench::StderrLog log;
  if (only != "postgres") {
    std::printf("SQLite\n");
    Bench bench(must(storage::SqliteStore::open({.directory = directory}, clock, log)), rows);
    bench.write();
    bench.measure();
    bench.close();
    print_sizes(*must(storage::SqliteRowSource::open(directory + "/weft.db")));
  }
  if (only != "sqlite") {
    std::printf("PostgreSQL\n");
    test::PostgresServer postgres(parent);
    if (!postgres.start()) {
      give_up({ErrorClass::unavailable, "postgres", "PostgreSQL does not start; is it installed?"});
    }
    storage::PgConfig config;
    config.target.url = postgres.url();
    Bench bench(must(storage::PgStore::open(config, clock, log)), rows);
    bench.write();
    bench.measure();
    bench.close();
    print_sizes(*must(storage::PgRowSource::open(config.target)));
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return 0;
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  const std::string parent = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  const long long rows = argc > 2 ? std::atoll(argv[2]) : 260'000;
  const std::string only = argc > 3 ? argv[3] : "";
  if (rows < 1 || (!only.empty() && only != "sqlite" && only != "postgres")) {
    std::fprintf(stderr, "usage: history_bench [DIRECTORY] [ROWS] [sqlite|postgres]\n");
    return 2;
  }
  return weft::run(parent, static_cast<std::uint64_t>(rows), only);
}

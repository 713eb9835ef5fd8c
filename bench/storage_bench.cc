// How fast the journals on SQLite and PostgreSQL make rows durable, beside two floors in the same
// run: the disk, by a program that writes as many bytes and calls fdatasync, and the bare database,
// by rows of a number and a word on one connection. PostgreSQL is started for it, with its
// directory beside.
//
//   storage_bench [DIRECTORY] [SECONDS-PER-MEASURE] [sqlite|postgres]
//
// Times drift with the machine and with its load; the ratio to the floor is what counts.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "bench/bare_databases.h"
#include "bench/ports.h"
#include "storage/pg_store.h"
#include "storage/sqlite_store.h"
#include "tests/support/postgres_server.h"

namespace weft {
namespace {

using bench::Loop;
using bench::seconds_since;
using bench::StderrLog;
using bench::SteadyClock;
using bench::SystemClock;

// Time of all threads of this process on a CPU.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// One measure: from its making to report().
struct Measure {
  std::vector<double> ms;  // one latency for each answer
  SteadyClock::time_point start = SteadyClock::now();
  double cpu_start = cpu_seconds();

  double elapsed() const { return seconds_since(start); }
  void report(const char* what, std::size_t rows) {
    const double seconds = elapsed();
    const double cpu_us = 1e6 * (cpu_seconds() - cpu_start);
    std::sort(ms.begin(), ms.end());
    const auto percentile = [&](double p) {
      return ms.empty() ? 0 : ms[static_cast<std::size_t>(p * static_cast<double>(ms.size() - 1))];
    };
    const auto n = static_cast<double>(rows);
    std::printf("%-44s %9.0f rows/s  p50 %7.3f ms  p99 %7.3f ms  %7.2f CPU us/row\n", what,
                n / seconds, percentile(0.50), percentile(0.99), cpu_us / n);
    std::fflush(stdout);
  }
};

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "storage_bench: %s\n", error.message.c_str());
  std::_Exit(1);  // the writer thread may still be at work: no destructors
}

// Overwrites `bytes` at a time in a file that was laid out before, and syncs: what a WAL does once
// it has been round.
void floor_loop(const std::string& directory, std::size_t bytes, double seconds) {
  constexpr std::size_t file_bytes = std::size_t{16} << 20;
  const std::string path = directory + "/floor";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const Error failed{ErrorClass::unavailable, "disk", "the floor cannot be measured in " + path};
  const std::string zeros(file_bytes, '\0');
  if (fd < 0 || ::write(fd, zeros.data(), file_bytes) != static_cast<ssize_t>(file_bytes) ||
      ::fsync(fd) != 0) {
    give_up(failed);
  }
  const std::string block(bytes, 'x');
  Measure measure;
  std::size_t at = 0;
  while (measure.elapsed() < seconds) {
    const auto before = SteadyClock::now();
    if (::pwrite(fd, block.data(), bytes, static_cast<off_t>(at)) != static_cast<ssize_t>(bytes) ||
        ::fdatasync(fd) != 0) {
      give_up(failed);
    }
    measure.ms.push_back(1000 * seconds_since(before));
    at = at + 2 * bytes > file_bytes ? 0 : at + bytes;
  }
  char what[64];
  std::snprintf(what, sizeof what, "floor: write + fdatasync of %zu bytes", bytes);
  measure.report(what, measure.ms.size());
  ::close(fd);
  ::unlink(path.c_str());
}

// The database without us.
void bare_loop(const char* name, const bench::Commit& commit, double seconds) {
  if (!commit) give_up({ErrorClass::unavailable, "bare", "the bare database cannot be measured"});
  std::int64_t rows = 0;
  for (const std::int64_t batch : {1, 100, 1000}) {
    const std::int64_t first = rows;
    Measure measure;
    while (measure.elapsed() < seconds) {
      const auto before = SteadyClock::now();
      if (!commit(rows, batch)) give_up({ErrorClass::unavailable, "bare", "a bare commit failed"});
      rows += batch;
      measure.ms.push_back(1000 * seconds_since(before));
    }
    char what[64];
    std::snprintf(what, sizeof what, "bare %s: %lld rows a commit", name,
                  static_cast<long long>(batch));
    measure.report(what, static_cast<std::size_t>(rows - first));
  }
}

// A word typed at the end, by five people in turn: each row is one run.
collab::LogRow typed_row(std::uint64_t index) {
  collab::LogRow row;
  row.base = index - 1;
  row.len = 5;
  const std::uint64_t site = 2 + index % 5;
  const std::uint64_t own = index / 5;
  row.id = {1, 5 * index, site, 1 + 5 * own};
  row.ref = own == 0 ? rga::ElementId{} : rga::ElementId{site, 5 * own};
  row.text = "word ";
  row.timestamp_us = static_cast<std::int64_t>(1'700'000'000'000'000 + index);
  return row;
}

class Bench {
 public:
  explicit Bench(double seconds) : seconds_(seconds) {}

  void open_sqlite(const std::string& directory) {
    auto opened = storage::SqliteStore::open({.directory = directory}, clock_, log_);
    if (!opened.ok()) give_up(opened.error());
    store_ = std::move(opened).value();
  }
  void open_postgres(const std::string& url) {
    storage::PgConfig config;
    config.target.url = url;
    auto opened = storage::PgStore::open(config, clock_, log_);
    if (!opened.ok()) give_up(opened.error());
    store_ = std::move(opened).value();
  }
  void all() {
    for (const std::size_t batch : {1u, 10u, 100u, 1000u}) one_writer(batch);
    for (const std::size_t writers : {10u, 100u, 1000u}) many_writers(writers);
    load(20'000);
  }

 private:
  // One writer, `batch` rows in every append, the next one after the answer.
  void one_writer(std::size_t batch) {
    const DocumentId id = create();
    std::uint64_t last = 0;
    Measure measure;
    while (measure.elapsed() < seconds_) {
      std::vector<collab::LogRow> rows;
      for (std::size_t i = 0; i < batch; ++i) rows.push_back(typed_row(last + 1 + i));
      const auto before = SteadyClock::now();
      bool answered = false;
      store_->append(id, {last, std::move(rows)}, loop_, [&](auto answer) {
        if (!answer.ok()) give_up(answer.error());
        last = answer->last_index;
        answered = true;
      });
      while (!answered) loop_.run_one();
      measure.ms.push_back(1000 * seconds_since(before));
    }
    char what[64];
    std::snprintf(what, sizeof what, "one writer, %zu rows an append", batch);
    measure.report(what, last);
  }

  // Many documents, each with one append of one row in flight: the group commit at work.
  void many_writers(std::size_t writers) {
    struct Writer {
      DocumentId id;
      std::uint64_t last = 0;
      SteadyClock::time_point asked;
    };
    std::vector<Writer> all(writers);
    for (Writer& writer : all) writer.id = create();
    Measure measure;
    std::uint64_t rows = 0;
    std::size_t in_flight = 0;
    std::function<void(Writer&)> append = [&](Writer& writer) {
      writer.asked = SteadyClock::now();
      ++in_flight;
      store_->append(writer.id, {writer.last, {typed_row(writer.last + 1)}}, loop_,
                     [&](auto answer) {
                       if (!answer.ok()) give_up(answer.error());
                       writer.last = answer->last_index;
                       ++rows;
                       --in_flight;
                       measure.ms.push_back(1000 * seconds_since(writer.asked));
                       if (measure.elapsed() < seconds_) append(writer);
                     });
    };
    for (Writer& writer : all) append(writer);
    while (in_flight > 0) loop_.run_one();
    char what[64];
    std::snprintf(what, sizeof what, "%zu documents, one row in flight each", writers);
    measure.report(what, rows);
  }

  // A whole log and nothing else: how long a document takes to come back.
  void load(std::size_t rows) {
    const DocumentId id = create();
    for (std::uint64_t last = 0; last < rows;) {
      std::vector<collab::LogRow> batch;
      for (std::size_t i = 0; i < 1000; ++i) batch.push_back(typed_row(last + 1 + i));
      bool answered = false;
      store_->append(id, {last, std::move(batch)}, loop_, [&](auto answer) {
        if (!answer.ok()) give_up(answer.error());
        last = answer->last_index;
        answered = true;
      });
      while (!answered) loop_.run_one();
    }
    Measure measure;
    while (measure.elapsed() < seconds_) {
      const auto before = SteadyClock::now();
      bool answered = false;
      store_->load(id, loop_, [&](auto answer) {
        if (!answer.ok()) give_up(answer.error());
        answered = true;
      });
      while (!answered) loop_.run_one();
      measure.ms.push_back(1000 * seconds_since(before));
    }
    char what[64];
    std::snprintf(what, sizeof what, "load a log of %zu rows, no snapshot", rows);
    measure.report(what, rows * measure.ms.size());
  }

  DocumentId create() {
    collab::Catalog::NewDocument document;
    ++created_;
    document.id = Uuid::from_random(created_ * 0x9e3779b97f4a7c15u, created_);
    document.title = "bench";
    bool answered = false;
    const DocumentId id = document.id;
    store_->create(std::move(document), loop_, [&](auto answer) {
      if (!answer.ok()) give_up(answer.error());
      answered = true;
    });
    while (!answered) loop_.run_one();
    return id;
  }

  const double seconds_;
  SystemClock clock_;
  StderrLog log_;
  Loop loop_;
  std::uint64_t created_ = 0;
  std::unique_ptr<storage::Store> store_;
};

int run(const std::string& parent, double seconds, const std::string& only) {
  std::string directory = parent + "/weft-storage-bench-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    std::fprintf(stderr, "storage_bench: cannot create a directory in %s\n", parent.c_str());
    return 1;
  }
  // One row makes three pages dirty: the document, the log and its index.
  constexpr std::size_t wal_bytes = std::size_t{3} * (4096 + 24);
  if (only != "postgres") {
    std::printf("SQLite\n");
    floor_loop(directory, wal_bytes, seconds);
    bare_loop("SQLite", bench::bare_sqlite(directory), seconds);
    Bench bench(seconds);
    bench.open_sqlite(directory);
    bench.all();
    floor_loop(directory, wal_bytes, seconds);
  }
  if (only != "sqlite") {
    std::printf("PostgreSQL\n");
    test::PostgresServer postgres(parent);
    if (!postgres.start()) {
      give_up({ErrorClass::unavailable, "postgres", "PostgreSQL does not start; is it installed?"});
    }
    // Its WAL is written in blocks of 8 KiB.
    constexpr std::size_t block_bytes = 8192;
    floor_loop(directory, block_bytes, seconds);
    bare_loop("PostgreSQL", bench::bare_postgres(postgres.url()), seconds);
    Bench bench(seconds);
    bench.open_postgres(postgres.url());
    bench.all();
    floor_loop(directory, block_bytes, seconds);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return 0;
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  const std::string parent = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2.0;
  const std::string only = argc > 3 ? argv[3] : "";
  if (seconds <= 0 || (!only.empty() && only != "sqlite" && only != "postgres")) {
    std::fprintf(stderr,
                 "usage: storage_bench [DIRECTORY] [SECONDS-PER-MEASURE] [sqlite|postgres]\n");
    return 2;
  }
  return weft::run(parent, seconds, only);
}

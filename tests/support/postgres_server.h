// A real PostgreSQL for tests and benchmarks, started by tests/support/postgres.sh in a directory
// of its own and stopped with its owner. Needs the program that owns it to lie below the project's
// directory.
#pragma once

#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace weft::test {

/// The project's directory: programs lie in build/PRESET of it, whatever directory they run in.
inline std::filesystem::path checkout() {
  std::filesystem::path at = std::filesystem::canonical("/proc/self/exe");
  while (at.has_relative_path() && !std::filesystem::exists(at / "docs/SCHEMA.md")) {
    at = at.parent_path();
  }
  return at;
}

class PostgresServer {
 public:
  /// Below `parent`: the disk that is meant.
  explicit PostgresServer(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = (parent / "weft-postgres-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) directory_ = pattern;
  }
  ~PostgresServer() {
    stop(SIGQUIT);
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  std::string url(const std::string& database = "postgres") const {
    return "postgresql://weft@/" + database + "?host=" + directory_;
  }

  /// Waits until it takes connections. False when it does not come up.
  bool start() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    int attempts = 0;
    while (std::chrono::steady_clock::now() < deadline) {
      // After a SIGKILL the first attempts meet what is left of the old processes.
      if (process_ <= 0 || ::waitpid(process_, nullptr, WNOHANG) == process_) {
        if (++attempts > 100) return false;
        spawn();
      }
      if (exec("SELECT 1")) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  /// SIGQUIT: at once, as after a crash. SIGKILL leaves its processes to notice by themselves.
  void stop(int signal) {
    if (process_ <= 0) return;
    ::kill(process_, signal);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  /// On a connection of its own.
  bool exec(const std::string& sql) {
    PGconn* connection = PQconnectdb(url().c_str());
    PGresult* result = PQexec(connection, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    PQfinish(connection);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }

 private:
  void spawn() {
    const std::string script = (checkout() / "tests/support/postgres.sh").string();
    process_ = ::fork();
    if (process_ == 0) {
      ::execl("/bin/bash", "bash", script.c_str(), directory_.c_str(), nullptr);
      ::_exit(127);
    }
  }

  std::string directory_;
  pid_t process_ = 0;
};

}  // namespace weft::test

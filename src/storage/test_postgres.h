// A real PostgreSQL for the tests of this room: started by tests/support/postgres.sh with the first
// test that asks, stopped with the program. Each test gets a database of its own. Without
// PostgreSQL on the machine those tests fail.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace weft::storage::test {

/// The project's directory: the program lies in build/PRESET of it, whatever directory it runs in.
inline std::filesystem::path checkout() {
  std::filesystem::path at = std::filesystem::canonical("/proc/self/exe");
  while (at.has_relative_path() && !std::filesystem::exists(at / "docs/SCHEMA.md")) {
    at = at.parent_path();
  }
  return at;
}

class TestPostgres {
 public:
  static TestPostgres& get() {
    static TestPostgres server;
    return server;
  }
  ~TestPostgres() {
    stop(SIGQUIT);
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  TestPostgres(const TestPostgres&) = delete;
  TestPostgres& operator=(const TestPostgres&) = delete;

  std::string url(const std::string& database) const {
    return "postgresql://weft@/" + database + "?host=" + directory_;
  }
  /// The name of a new database, a copy of `original`.
  std::string create_database(const std::string& original = "template1") {
    const std::string name = "test_" + std::to_string(++databases_);
    exec("CREATE DATABASE " + name + " TEMPLATE " + original);
    return name;
  }
  void drop_database(const std::string& name) {
    exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
  }

  /// SIGQUIT: at once, as after a crash. SIGKILL leaves its processes to notice by themselves.
  void stop(int signal) {
    if (process_ <= 0) return;
    ::kill(process_, signal);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }
  /// Answers as soon as it takes connections.
  void start() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      // After a SIGKILL the first attempts meet what is left of the old processes.
      if (process_ <= 0 || ::waitpid(process_, nullptr, WNOHANG) == process_) spawn();
      PGconn* connection = PQconnectdb(url("postgres").c_str());
      const bool connected = PQstatus(connection) == CONNECTION_OK;
      PQfinish(connection);
      if (connected) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "PostgreSQL does not start; see " << directory_;
  }

 private:
  TestPostgres() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "weft-postgres-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) directory_ = pattern;
    start();
  }

  void spawn() {
    const std::string script = (checkout() / "tests/support/postgres.sh").string();
    process_ = ::fork();
    if (process_ == 0) {
      ::execl("/bin/bash", "bash", script.c_str(), directory_.c_str(), nullptr);
      ::_exit(127);
    }
  }

  void exec(const std::string& sql) {
    PGconn* connection = PQconnectdb(url("postgres").c_str());
    PGresult* result = PQexec(connection, sql.c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_COMMAND_OK) << PQerrorMessage(connection);
    PQclear(result);
    PQfinish(connection);
  }

  std::string directory_;
  pid_t process_ = 0;
  int databases_ = 0;
};

}  // namespace weft::storage::test

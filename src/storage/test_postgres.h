// The PostgreSQL of this room's tests: started with the first test that asks, stopped with the
// program. Each test gets a database of its own. Without PostgreSQL on the machine those tests
// fail.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/postgres_server.h"

namespace weft::storage::test {

using weft::test::checkout;

class TestPostgres {
 public:
  static TestPostgres& get() {
    static TestPostgres server;
    return server;
  }

  std::string url(const std::string& database) const { return server_.url(database); }
  /// The name of a new database, a copy of `original`.
  std::string create_database(const std::string& original = "template1") {
    const std::string name = "test_" + std::to_string(++databases_);
    EXPECT_TRUE(server_.exec("CREATE DATABASE " + name + " TEMPLATE " + original));
    return name;
  }
  void drop_database(const std::string& name) {
    EXPECT_TRUE(server_.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"));
  }
  void stop(int signal) { server_.stop(signal); }
  void start() { EXPECT_TRUE(server_.start()) << "PostgreSQL does not start"; }

 private:
  TestPostgres() { start(); }

  weft::test::PostgresServer server_;
  int databases_ = 0;
};

}  // namespace weft::storage::test

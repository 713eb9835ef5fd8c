// When what has changed about access counts: who waits for it hears no sooner.
#include "server/access_watch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "server/test_documents.h"
#include "tests/support/memory_access_store.h"

namespace weft::server {
namespace {

class FailingStore final : public simulation::MemoryAccessStore {
 public:
  bool fails = false;
  int asked = 0;

  void changes_since(std::uint64_t number, Executor& on,
                     collab::Done<std::vector<collab::AccessChange>> done) override {
    ++asked;
    if (!fails) return MemoryAccessStore::changes_since(number, on, std::move(done));
    on.post([done = std::move(done)] {
      done(Error{ErrorClass::unavailable, "database_away", "the database is away"});
    });
  }
};

class AccessWatchTest : public testing::Test {
 protected:
  bool is_void(const std::string& token) {
    access::Claims claims;
    claims.token_id = token;
    claims.expires_s = now_s + 60;
    return !control.is_good(claims);
  }
  void revoke(const std::string& token) {
    Inline now;
    store.revoke_anywhere(token, (now_s + 60) * 1'000'000, now, [](const auto&) {});
  }

  Held loop;
  FailingStore store;
  StoppedClock clock;
  AccessControl control{
      {[](std::string_view, std::int64_t) -> Result<access::Claims> { return access::Claims{}; },
       {}},
      store,
      clock};
  QuietLog log;
  AccessWatch watch{control, store, loop, log, [](const collab::AccessChange&) {}};
};

TEST_F(AccessWatchTest, WhoWaitsIsToldWhenItCounts) {
  revoke("a");
  std::optional<bool> then;
  watch.look_now([&] { then = is_void("a"); });
  EXPECT_FALSE(then);
  loop.run();
  EXPECT_EQ(then, true);
}

TEST_F(AccessWatchTest, ALookThatHadBegunTellsNothingOfWhatCameAfterIt) {
  watch.look_now();
  loop.step();  // the store was asked, its answer is on its way
  ASSERT_EQ(store.asked, 1);
  revoke("b");
  std::optional<bool> then;
  watch.look_now([&] { then = is_void("b"); });
  loop.run();
  EXPECT_EQ(then, true);
  EXPECT_EQ(store.asked, 2);
}

TEST_F(AccessWatchTest, ADatabaseThatIsAwayKeepsNobodyWaiting) {
  store.fails = true;
  revoke("c");
  std::optional<bool> then;
  watch.look_now([&] { then = is_void("c"); });
  loop.run();
  EXPECT_EQ(then, false);
  store.fails = false;
  watch.look_now([&] { then = is_void("c"); });
  loop.run();
  EXPECT_EQ(then, true);
}

}  // namespace
}  // namespace weft::server

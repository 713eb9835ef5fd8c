// When a listener's events end.
#include "server/event_stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/test_documents.h"
#include "tests/support/memory_access_store.h"

namespace weft::server {
namespace {

class CountedLog final : public NoLog {
 public:
  int reads = 0;
  void read_rows(const DocumentId& id, std::uint64_t after, std::size_t most, Executor& on,
                 collab::Done<std::vector<collab::LogRow>> done) override {
    ++reads;
    NoLog::read_rows(id, after, most, on, std::move(done));
  }
};

class EventStreamTest : public testing::Test {
 protected:
  /// The pieces that a listener with this token takes while rows wait, and then the end, "".
  std::vector<std::string> hear(std::int64_t expires_s) {
    access::Claims who;
    who.user = "ann";
    who.expires_s = expires_s;
    const auto stream = std::make_shared<EventStream>(
        id, rga::Document(1), 0,
        EventStream::Ports{log, loop, under_way, loop, 15'000, nullptr, control, who});
    stream->on_durable(5);
    std::vector<std::string> pieces;
    for (int i = 0; i < 3 && (pieces.empty() || !pieces.back().empty()); ++i) {
      stream->next([&](std::string piece) { pieces.push_back(std::move(piece)); });
      loop.run();
    }
    return pieces;
  }

  const DocumentId id = Uuid::from_random(1, 1);
  Held loop;
  CountedLog log;
  UnderWay under_way;
  simulation::MemoryAccessStore store;
  StoppedClock clock;
  AccessControl control{
      {[](std::string_view, std::int64_t) -> Result<access::Claims> { return access::Claims{}; },
       {}},
      store,
      clock};
};

TEST_F(EventStreamTest, WhoseTokenHasEndedHearsNothingOfWhatWaits) {
  const auto pieces = hear(now_s - access::leeway_s);
  EXPECT_EQ(log.reads, 0);
  ASSERT_FALSE(pieces.empty());
  EXPECT_EQ(pieces.back(), "");
}

TEST_F(EventStreamTest, UntilThenTheLogIsRead) {
  const auto pieces = hear(now_s - access::leeway_s + 1);
  EXPECT_EQ(log.reads, 1);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_NE(pieces.front().find("event: open"), std::string::npos);
}

}  // namespace
}  // namespace weft::server

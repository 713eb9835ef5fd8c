// Pushes without a session, and watchers, through Shard.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "rga/op_codec.h"
#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

std::string inserts(std::uint64_t sid, std::uint64_t seq, std::uint64_t sum,
                    std::string_view text) {
  rga::OpWriter out;
  const rga::ElementId ref = seq == 1 ? rga::ElementId{} : rga::ElementId{sid, seq - 1};
  out.append({rga::OpKind::insert,
              static_cast<std::uint32_t>(text.size()),
              {1, sum, sid, seq},
              ref,
              text});
  return out.take();
}

class DocumentPushTest : public DocumentActorTest {
 protected:
  const ClientId client_id_ = Uuid::from_random(6, 1);

  /// What the push is answered; "none" before it is.
  std::shared_ptr<std::string> push(std::uint64_t base, std::string operations) {
    auto said = std::make_shared<std::string>("none");
    shard_->push(
        id_, {client_id_, base, std::move(operations)}, [said](const Result<PushAnswer>& answer) {
          ASSERT_EQ(*said, "none") << "answered twice";
          *said = answer.ok()
                      ? std::to_string(answer->acked_seq) + " at " + std::to_string(answer->index)
                      : std::string(answer.error().code);
        });
    executor_.settle();
    return said;
  }
  std::uint64_t site() {
    std::uint64_t sid = 0;
    journal_.lease_site(id_, client_id_, {}, executor_,
                        [&](Result<std::uint64_t> leased) { sid = *leased; });
    executor_.settle();
    return sid;
  }
};

TEST_F(DocumentPushTest, IsAnsweredWhenItIsDurable) {
  SimClient a = client(1);
  join(a);
  journal_.answer_delay_ms = [] { return 50; };
  const std::uint64_t sid = 2;
  const auto said = push(0, inserts(sid, 1, 1, "abc"));
  EXPECT_EQ(site(), sid);
  executor_.run_for(49);
  EXPECT_EQ(*said, "none");
  EXPECT_EQ(a.document().text(), "");
  executor_.run_for(1);
  EXPECT_EQ(*said, "3 at 1");
  EXPECT_EQ(a.document().text(), "abc");
  EXPECT_EQ(*push(0, inserts(sid, 1, 1, "abc")), "3 at 1");
  EXPECT_EQ(journal_.stored(id_).rows.size(), 1u);
  EXPECT_EQ(a.broken_promise(), "");
}

TEST_F(DocumentPushTest, IsRefusedAsASessionsIs) {
  const std::uint64_t sid = site();
  EXPECT_EQ(*push(0, inserts(sid, 1, 1, "abc")), "3 at 1");
  EXPECT_EQ(*push(0, inserts(sid, 1, 1, "abc")), "3 at 1");
  EXPECT_EQ(*push(0, inserts(sid, 1, 1, "xyz")), "id_reused");
  EXPECT_EQ(*push(0, inserts(sid, 5, 5, "x")), "sequence_gap");
  EXPECT_EQ(*push(0, inserts(sid + 1, 1, 1, "x")), "foreign_site");
  EXPECT_EQ(*push(9, inserts(sid, 4, 4, "x")), "bad_base");
  EXPECT_EQ(*push(1, "\xff"), "malformed_operations");
  EXPECT_EQ(*push(1, ""), "malformed_operations");
  EXPECT_EQ(text_of(id_), "abc");
  EXPECT_EQ(shard_->counts().sessions, 0u);
}

TEST_F(DocumentPushTest, AnOpenSessionOfTheSameClientGoesFirst) {
  SimClient a(executor_, id_, client_id_);
  join(a);
  EXPECT_EQ(*push(0, inserts(a.sid(), 1, 1, "abc")), "client_in_session");
  a.cut();
  executor_.settle();
  EXPECT_EQ(*push(0, inserts(a.sid(), 1, 1, "abc")), "3 at 1");
  EXPECT_EQ(text_of(id_), "abc");
}

TEST_F(DocumentPushTest, AFailedAppendAnswersItOnce) {
  const std::uint64_t sid = site();
  EXPECT_EQ(text_of(id_), "");
  journal_.append_fault = [] { return MemoryJournal::Fault::lost; };
  EXPECT_EQ(*push(0, inserts(sid, 1, 1, "abc")), "storage_unavailable");
  journal_.append_fault = [] { return MemoryJournal::Fault::none; };
  EXPECT_EQ(*push(0, inserts(sid, 1, 1, "abc")), "3 at 1");
}

class Noting final : public Watcher {
 public:
  void on_access_changed() override {}
  std::string said;
  void on_durable(std::uint64_t index) override { said += std::to_string(index) + " "; }
  void on_presence(const PresenceAnswer& presence) override {
    said += "p" + std::to_string(presence.peers.size()) + " ";
  }
  void on_end(const Error& why) override { said += why.code; }
};

TEST_F(DocumentPushTest, WatchersHearWhatIsDurableAndTheEnd) {
  config_.idle_unload_ms = 1'000;
  restart();
  auto watcher = std::make_shared<Noting>();
  shard_->watch(id_, watcher);
  executor_.settle();
  EXPECT_EQ(watcher->said, "0 p0 ");
  const std::uint64_t sid = site();
  journal_.answer_delay_ms = [] { return 50; };
  const auto said = push(0, inserts(sid, 1, 1, "abc"));
  executor_.run_for(49);
  EXPECT_EQ(watcher->said, "0 p0 ");
  executor_.run_for(200);
  EXPECT_EQ(watcher->said, "0 p0 1 ");
  // Nobody else is here, and still the document stays.
  executor_.run_for(60'000);
  EXPECT_EQ(shard_->counts().documents, 1u);
  shard_->forget(id_);
  EXPECT_EQ(watcher->said, "0 p0 1 document_deleted");
}

TEST_F(DocumentPushTest, WhoGoesNeedsNotSaySo) {
  config_.idle_unload_ms = 1'000;
  restart();
  auto watcher = std::make_shared<Noting>();
  shard_->watch(id_, watcher);
  executor_.run_for(20'000);
  EXPECT_EQ(shard_->counts().documents, 1u);
  watcher.reset();
  executor_.run_for(20'000);
  EXPECT_EQ(shard_->counts().documents, 0u);
}

TEST_F(DocumentPushTest, ADryRunLeavesNothing) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "abc");
  executor_.settle();
  ServerEdit request;
  request.client = client_id_;
  request.dry_run = true;
  request.plan = [](const rga::Document&, std::uint64_t) {
    return Result(std::vector<TextEdit>{{1, 1, "B"}});
  };
  std::optional<EditAnswer> answer;
  shard_->edit(id_, request, [&](Result<EditAnswer> edited) { answer = *edited; });
  executor_.settle();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->record.last_index, 1u);
  EXPECT_EQ(answer->edits, (std::vector<TextEdit>{{1, 1, "B"}}));
  EXPECT_EQ(text_of(id_), "abc");
  EXPECT_EQ(site(), 2u) << "it took a site";
}

TEST_F(DocumentPushTest, TheJournalKnowsWhoEditsAndWhoPushes) {
  const Author ann{"ann", "Ann", AuthorKind::person};
  const Author bot{"ann", "bot", AuthorKind::program};
  ServerEdit request;
  request.client = Uuid::from_random(8, 1);
  request.author = ann;
  request.plan = [](const rga::Document&, std::uint64_t) {
    return Result(std::vector<TextEdit>{{0, 0, "x"}});
  };
  shard_->edit(id_, request, [](const Result<EditAnswer>& edited) { EXPECT_TRUE(edited.ok()); });
  executor_.settle();
  shard_->push(id_, {client_id_, 1, inserts(2, 1, 2, "y"), bot},
               [](const Result<PushAnswer>& pushed) { EXPECT_TRUE(pushed.ok()); });
  executor_.settle();
  const auto& stored = journal_.stored(id_);
  ASSERT_EQ(stored.rows.size(), 2u);
  EXPECT_EQ(stored.authors.at(stored.rows[0].id.sid), ann);
  EXPECT_EQ(stored.authors.at(stored.rows[1].id.sid), bot);
}

TEST_F(DocumentPushTest, WhereNobodyIsKnownTheFirstNameOfASessionIsKept) {
  SimClient a = client(1);
  join(a);
  const auto& authors = journal_.stored(id_).authors;
  EXPECT_EQ(authors.at(a.sid()), Author{});
  for (const char* name : {"", "Ada", "Bob"}) {
    a.send_raw(wire::encode(wire::Presence{name, 1, {}}));
    executor_.settle();
  }
  EXPECT_EQ(authors.at(a.sid()), (Author{{}, "Ada", AuthorKind::anonymous}));
}

}  // namespace
}  // namespace weft::collab

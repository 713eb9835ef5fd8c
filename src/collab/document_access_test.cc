// The document's door: tokens, roles, and what happens when they change under somebody's hands.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

/// Tokens are names in a table. Looks at the table when it is asked, answers later.
class TableGate final : public Gate {
 public:
  explicit TableGate(simulation::VirtualExecutor& executor) : executor_(executor) {}

  void admit(const DocumentId&, std::string token, Executor& on, Done<Admission> done) override {
    ++questions;
    const auto found = tokens.find(token);
    Result<Admission> answer =
        found == tokens.end()
            ? Result<Admission>(Error{ErrorClass::denied, "token_malformed", "void"})
            : Result<Admission>(Admission{found->second, role(found->second), nullptr});
    if (answer.ok() && answer->role == access::Role::none) {
      answer = Error{ErrorClass::not_found, "document_not_found", "nobody here"};
    }
    later(on, [done = std::move(done), answer] { done(answer); });
  }
  void role_of(const DocumentId&, const access::Claims& claims, Executor& on,
               Done<access::Role> done) override {
    later(on, [done = std::move(done), role = role(claims)] { done(role); });
  }

  std::map<std::string, access::Claims> tokens;
  std::map<std::string, access::Role> roles;
  int questions = 0;
  std::int64_t delay_ms = 0;

 private:
  access::Role role(const access::Claims& claims) {
    const access::Role own = claims.document ? claims.role : roles[claims.user];
    return claims.by.empty() ? own : std::min(own, roles[claims.by]);
  }
  void later(Executor& on, std::function<void()> work) {
    if (delay_ms == 0) return on.post(std::move(work));
    executor_.post_after(delay_ms, std::move(work));
  }
  simulation::VirtualExecutor& executor_;
};

class DocumentAccessTest : public DocumentActorTest {
 protected:
  DocumentAccessTest() {
    gate_.roles = {{"ann", access::Role::owner},
                   {"ed", access::Role::editor},
                   {"cora", access::Role::commenter},
                   {"vic", access::Role::viewer}};
    for (const auto& [user, role] : gate_.roles) token(user, user);
    token("stranger", "zoe");
    shard_ = std::make_unique<Shard>(
        ShardPorts{executor_, executor_, random_, log_, journal_, &gate_}, config_);
  }

  access::Claims& token(const std::string& name, const std::string& user) {
    access::Claims& claims = gate_.tokens[name];
    claims.user = user;
    claims.token_id = "id of " + name;
    claims.expires_s = executor_.unix_us() / 1'000'000 + 600;
    return claims;
  }
  SimClient with_token(std::uint64_t number, const std::string& name) {
    SimClient some = client(number);
    some.change_hello = [&name = tokens_in_use_.emplace_back(name)](wire::Hello& hello) {
      hello.token = name;
    };
    return some;
  }
  AccessChange about_user(const std::string& user) { return {++changes_, id_, user, {}, 0}; }
  AccessChange about_token(const std::string& name) {
    return {++changes_, id_, {}, "id of " + name, INT64_MAX};
  }

  TableGate gate_{executor_};

 private:
  std::deque<std::string> tokens_in_use_;
  std::uint64_t changes_ = 0;
};

TEST_F(DocumentAccessTest, WithoutAGoodTokenNobodyComesIn) {
  for (const auto& [name, code, reason] :
       std::vector<std::tuple<std::string, CloseCode, std::string>>{
           {"", CloseCode::unauthorized, "token_malformed"},
           {"made up", CloseCode::unauthorized, "token_malformed"},
           {"stranger", CloseCode::not_found, "document_not_found"}}) {
    SimClient a = with_token(1, name);
    a.connect(*shard_);
    executor_.settle();
    EXPECT_FALSE(a.welcomed());
    expect_closed(a, code, reason);
  }
}

TEST_F(DocumentAccessTest, EditorsEditAndOthersOnlyRead) {
  SimClient owner = with_token(1, "ann");
  SimClient editor = with_token(2, "ed");
  join(owner);
  join(editor);
  owner.insert(0, "one ");
  editor.insert(0, "two ");
  executor_.settle();
  const std::string text = text_of(id_);
  EXPECT_EQ(text.size(), 8u);

  std::uint64_t number = 3;
  for (const char* name : {"cora", "vic"}) {
    SimClient reader = with_token(number++, name);
    join(reader);
    EXPECT_EQ(reader.document().text(), text);
    reader.insert(0, "no");
    executor_.settle();
    expect_closed(reader, CloseCode::forbidden, "read_only");
  }
  EXPECT_EQ(text_of(id_), text);
}

TEST_F(DocumentAccessTest, AnEndedTokenEndsTheSessionUnlessItIsRenewed) {
  SimClient renewing = with_token(1, "ed");
  SimClient typing = with_token(2, "ann");
  SimClient silent = with_token(3, "vic");
  join(renewing);
  join(typing);
  join(silent);
  token("fresh", "ed").expires_s += 3600;
  renewing.send_raw(wire::encode(wire::Renew{"fresh"}));
  executor_.settle();
  // To the end of the leeway, as at every other door.
  executor_.run_for((600 + access::leeway_s) * 1'000 - 1'000);
  typing.insert(0, "in time ");
  executor_.run_for(500);
  EXPECT_EQ(typing.pending(), 0u);
  executor_.run_for(1'000);
  typing.insert(0, "too late ");
  executor_.settle();
  expect_closed(typing, CloseCode::unauthorized, "token_expired");
  executor_.run_for(config_.limits.heartbeat_interval_ms);
  expect_closed(silent, CloseCode::unauthorized, "token_expired");
  renewing.insert(0, "still here ");
  executor_.settle();
  EXPECT_EQ(text_of(id_), "still here in time ");
}

TEST_F(DocumentAccessTest, ATokenIsRenewedByTheSameUserOnly) {
  SimClient a = with_token(1, "vic");
  join(a);
  a.send_raw(wire::encode(wire::Renew{"ann"}));
  executor_.settle();
  expect_closed(a, CloseCode::unauthorized, "token_of_another");
  SimClient b = with_token(2, "vic");
  join(b);
  b.send_raw(wire::encode(wire::Renew{"made up"}));
  executor_.settle();
  expect_closed(b, CloseCode::unauthorized, "token_malformed");
}

TEST_F(DocumentAccessTest, ARevokedTokenClosesItsSessionsOnly) {
  SimClient a = with_token(1, "ed");
  token("other token of ed", "ed");
  SimClient same_user = with_token(2, "other token of ed");
  join(a);
  join(same_user);
  AccessChange change = about_token("ed");
  shard_->access_changed(change);
  executor_.settle();
  expect_closed(a, CloseCode::unauthorized, "token_revoked");
  EXPECT_TRUE(same_user.welcomed());
  change = about_token("other token of ed");
  change.document = {};  // revoked for all documents
  shard_->access_changed(change);
  executor_.settle();
  expect_closed(same_user, CloseCode::unauthorized, "token_revoked");
}

TEST_F(DocumentAccessTest, AChangedMembershipChangesLiveSessions) {
  SimClient a = with_token(1, "ed");
  SimClient b = with_token(2, "vic");
  join(a);
  join(b);
  gate_.roles["ed"] = access::Role::viewer;
  gate_.roles["vic"] = access::Role::editor;
  shard_->access_changed(about_user("ed"));
  shard_->access_changed(about_user("vic"));
  executor_.settle();
  b.insert(0, "now I may");
  a.insert(0, "now I may not");
  executor_.settle();
  expect_closed(a, CloseCode::forbidden, "read_only");
  EXPECT_EQ(text_of(id_), "now I may");

  gate_.roles["vic"] = access::Role::none;
  shard_->access_changed(about_user("vic"));
  executor_.settle();
  expect_closed(b, CloseCode::forbidden, "access_revoked");
}

TEST_F(DocumentAccessTest, WhoLosesARoleTakesAlongWhatTheyHandedOn) {
  for (const auto& [name, by] : {std::pair{"bot", "ed"}, {"link", "ed"}, {"other", "ann"}}) {
    access::Claims& claims = token(name, std::string("user of ") + name);
    claims.document = id_;
    claims.role = access::Role::editor;
    claims.by = by;
  }
  SimClient bot = with_token(1, "bot");
  SimClient link = with_token(2, "link");
  SimClient other = with_token(3, "other");
  for (SimClient* each : {&bot, &link, &other}) join(*each);
  gate_.roles["ed"] = access::Role::viewer;
  shard_->access_changed(about_user("ed"));
  executor_.settle();
  bot.insert(0, "no");
  other.insert(0, "yes");
  executor_.settle();
  expect_closed(bot, CloseCode::forbidden, "read_only");
  EXPECT_EQ(text_of(id_), "yes");

  gate_.roles["ed"] = access::Role::none;
  shard_->access_changed(about_user("ed"));
  executor_.settle();
  expect_closed(link, CloseCode::forbidden, "access_revoked");
  EXPECT_FALSE(other.close_code().has_value());
}

TEST_F(DocumentAccessTest, ARevocationEndsWhatWasMintedThroughTheToken) {
  token("child", "cora").via = {"id of ed"};
  token("grandchild", "vic").via = {"id of child", "id of ed"};
  SimClient child = with_token(1, "child");
  SimClient grandchild = with_token(2, "grandchild");
  SimClient other = with_token(3, "ann");
  for (SimClient* each : {&child, &grandchild, &other}) join(*each);
  shard_->access_changed(about_token("ed"));
  executor_.settle();
  expect_closed(child, CloseCode::unauthorized, "token_revoked");
  expect_closed(grandchild, CloseCode::unauthorized, "token_revoked");
  EXPECT_FALSE(other.close_code().has_value());
}

TEST_F(DocumentAccessTest, AChangeDuringTheLookUpIsNotMissed) {
  gate_.delay_ms = 50;
  SimClient a = with_token(1, "ed");
  a.connect(*shard_);
  executor_.run_for(20);  // the gate has looked at the table, and is about to answer "editor"
  gate_.roles["ed"] = access::Role::viewer;
  shard_->access_changed(about_user("ed"));
  executor_.run_for(200);
  ASSERT_TRUE(a.welcomed());
  EXPECT_EQ(gate_.questions, 2);
  a.insert(0, "no");
  executor_.run_for(200);
  expect_closed(a, CloseCode::forbidden, "read_only");
}

TEST_F(DocumentAccessTest, NobodyChoosesAnothersName) {
  token("ed", "ed").name = "Edward";
  SimClient a = with_token(1, "ed");
  SimClient b = with_token(2, "vic");
  join(a);
  join(b);
  a.send_raw(wire::encode(wire::Presence{"Ann, the owner", 0xff0000, {}}));
  b.send_raw(wire::encode(wire::Presence{"", 0x00ff00, {}}));
  executor_.run_for(100);
  ASSERT_FALSE(b.peer_messages.empty());
  const auto seen_by_b = wire::decode_server_message(b.peer_messages.back());
  EXPECT_EQ(std::get<wire::Peers>(**seen_by_b).peers.at(0).state.name, "Edward");
  ASSERT_FALSE(a.peer_messages.empty());
  const auto seen_by_a = wire::decode_server_message(a.peer_messages.back());
  EXPECT_EQ(std::get<wire::Peers>(**seen_by_a).peers.at(0).state.name, "vic");
}

TEST_F(DocumentAccessTest, ASiteIsItsUsers) {
  access::Claims& agent = token("agent", "ann");
  agent.kind = access::CallerKind::program;
  agent.name = "formatter";
  SimClient person = with_token(1, "ann");
  SimClient program = with_token(2, "agent");
  SimClient reader = with_token(3, "vic");
  for (SimClient* each : {&person, &program, &reader}) join(*each);
  const auto& authors = journal_.stored(id_).authors;
  EXPECT_EQ(authors.at(person.sid()), (Author{"ann", "ann", AuthorKind::person}));
  EXPECT_EQ(authors.at(program.sid()), (Author{"ann", "formatter", AuthorKind::program}));
  EXPECT_EQ(authors.at(reader.sid()), (Author{"vic", "vic", AuthorKind::person}));
  // The name in presence is nobody's to choose.
  person.send_raw(wire::encode(wire::Presence{"Mallory", 0, {}}));
  executor_.run_for(100);
  EXPECT_EQ(authors.at(person.sid()).name, "ann");
}

TEST_F(DocumentAccessTest, TheSameClientWithAnothersTokenWritesAsAnother) {
  SimClient ann = with_token(1, "ann");
  join(ann);
  ann.insert(0, "by ann");
  executor_.settle();
  const std::uint64_t sid = ann.sid();
  SimClient ed = with_token(1, "ed");  // one client id
  join(ed);
  expect_closed(ann, CloseCode::replaced, "replaced");
  EXPECT_NE(ed.sid(), sid);
  ed.insert(0, "by ed, ");
  executor_.settle();
  EXPECT_EQ(text_of(id_), "by ed, by ann");
  EXPECT_EQ(journal_.stored(id_).rows.back().id.sid, ed.sid());
  EXPECT_EQ(journal_.stored(id_).authors.at(ed.sid()).user, "ed");
  EXPECT_EQ(journal_.stored(id_).authors.at(sid).user, "ann");
}

TEST_F(DocumentAccessTest, ASessionRenewsAsTheSameAuthorOnly) {
  token("renamed", "ann").name = "Ann Lee";
  token("robot", "ann").kind = access::CallerKind::program;
  SimClient a = with_token(1, "ann");
  join(a);
  a.send_raw(wire::encode(wire::Renew{"renamed"}));
  executor_.settle();
  EXPECT_EQ(journal_.stored(id_).authors.at(a.sid()).name, "Ann Lee");
  EXPECT_FALSE(a.close_code().has_value());
  a.send_raw(wire::encode(wire::Renew{"robot"}));
  executor_.settle();
  expect_closed(a, CloseCode::unauthorized, "token_of_another");
}

}  // namespace
}  // namespace weft::collab

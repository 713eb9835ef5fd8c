// The door of the REST API: every route, every role, live and revoked tokens, the own document and
// another one. What is expected follows from the table in docs/adr/0012-access.md, written out here
// again.
#include "server/access_control.h"

#include <gtest/gtest.h>

#include <future>
#include <map>

#include "server/access_json.h"
#include "server/rest_api.h"
#include "server/server_metrics.h"
#include "server/test_documents.h"
#include "tests/support/memory_access_store.h"

namespace weft::server {
namespace {

using access::Role;

class AccessControlTest : public testing::Test {
 protected:
  AccessControlTest() {
    learn();
    for (const Role role : {Role::viewer, Role::commenter, Role::editor, Role::owner}) {
      const std::string name(to_string(role));
      members.set_member(own, "user " + name, role, loop, [](const auto&) {});
      give("user " + name, false, {}, {});
      give("token " + name, false, own, role);
      // As much as their minter has, and as much as the token itself says.
      give("delegated " + name, false, own, Role::owner);
      tokens["delegated " + name].by = "user " + name;
      give("lowered " + name, false, own, role);
      tokens["lowered " + name].by = "user owner";
    }
    give("stranger's", false, own, Role::owner);
    tokens["stranger's"].by = "stranger";
    give("stranger", false, {}, {});
    give("admin", true, {}, {});
  }

  void give(const std::string& name, bool is_admin, std::optional<DocumentId> document, Role role) {
    access::Claims& claims = tokens[name];
    claims.user = name;
    claims.token_id = "id of " + name;
    claims.is_admin = is_admin;
    claims.document = document;
    claims.role = role;
    claims.expires_s = now_s + 60;
  }
  void learn() {
    members.changes_since(control.last_change(), loop,
                          [this](const auto& changes) { control.learn(*changes); });
  }
  /// What keeps this token from that route; "" when nothing does.
  std::string refusal(const Route& route, const DocumentId& document, const std::string& token) {
    std::string path(route.path);
    if (const auto at = path.find("{id}"); at != std::string::npos) {
      path.replace(at, 4, document.to_string());
    }
    if (const auto at = path.find("{name}"); at != std::string::npos) path.replace(at, 6, "some");
    Request request{std::string(route.method), path, {}, "{", "request"};
    request.headers.emplace_back("Content-Type", "application/json");
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    // What looks back answers from a thread of its own.
    std::promise<Response> answered;
    ask_api(api, request, loop,
            [&](Response response) { answered.set_value(std::move(response)); });
    const Response answer = answered.get_future().get();
    for (const std::string code :
         {"token_required", "token_revoked", "token_malformed", "bad_authorization",
          "admin_required", "role_too_low", "document_token_only", "document_not_found",
          "access_not_ready"}) {
      if (answer.body.find('"' + code + '"') != std::string::npos) return code;
    }
    return "";
  }
  /// The code of the answer to a request for a token, or "" when it is minted: as `minted` says.
  std::string ask_for_token(const std::string& as, const std::string& body) {
    Request request{
        "POST", "/api/v1/documents/" + own.to_string() + "/tokens", {}, body, "request"};
    request.headers.emplace_back("Content-Type", "application/json");
    request.headers.emplace_back("Authorization", "Bearer " + as);
    Response answer;
    ask_api(api, request, loop, [&](Response response) { answer = std::move(response); });
    if (answer.status == 201) return "";
    const std::size_t at = answer.body.find("\"code\":\"") + 8;
    return answer.body.substr(at, answer.body.find('"', at) - at);
  }
  static Role role_for(Need need) {
    switch (need) {
      case Need::view: return Role::viewer;
      case Need::comment: return Role::commenter;
      case Need::edit: return Role::editor;
      default: return Role::owner;
    }
  }

  const DocumentId own = Uuid::from_random(1, 1);
  const DocumentId other = Uuid::from_random(2, 2);
  Inline loop;
  Counting random;
  StoppedClock clock;
  std::map<std::string, access::Claims> tokens;
  access::Claims minted;
  simulation::MemoryAccessStore members;
  AccessControl control{{[this](std::string_view token, std::int64_t) -> Result<access::Claims> {
                           const auto found = tokens.find(std::string(token));
                           if (found != tokens.end()) return found->second;
                           return Error{ErrorClass::denied, "token_malformed", "void"};
                         },
                         [this](const access::Claims& claims) {
                           minted = claims;
                           return Result<std::string>("minted");
                         }},
                        members,
                        clock};
  FakeDocuments documents;
  NoLog log;
  AccessApi access{control, members, clock, random, [](const auto& then) { then(); }};
  HistoryApi history{{}, documents, log, log, documents};
  DocumentsApi documents_api{{}, 1, wire::Limits{}, documents, documents, control, history, random};
  static wire::Limits generous() {
    wire::Limits limits;
    limits.max_request_burst = limits.max_refusals_per_minute = 1'000'000;
    return limits;
  }
  RestRates rates{generous()};
  metrics::Registry registry;
  ServerMetrics server_metrics{registry};
  QuietLog quiet;
  Replicas replicas{{}, {}, clock, quiet, loop, {}, {}};
  OperationApi operation{documents, control, registry, server_metrics.database_up};
  EditApi edits{{}, wire::Limits{}, log, documents};
  LogApi log_api{wire::Limits{}, documents, log, documents};
  LiveApi live{wire::Limits{}, control, documents, log, documents};
  SeedApi seed{{}, documents, log, documents, documents_api};
  RestApi api{"1.2.3",
              {control, rates, clock, access, documents_api, history, edits, log_api, live, seed,
               operation, replicas},
              PageFiles({}, "")};
};

TEST_F(AccessControlTest, TheWholeMatrix) {
  std::size_t permits = 0;
  std::size_t refusals = 0;
  for (const Route& route : all_routes()) {
    for (const auto& [name, claims] : tokens) {
      for (const DocumentId& document : {own, other}) {
        const bool about_document = route.need >= Need::view && route.need != Need::admin;
        std::string expected;
        if (about_document && !claims.is_admin) {
          const bool here = document == own;
          Role role = Role::none;
          if (here && !name.starts_with("stranger"))
            role = *access::parse_role(name.substr(name.find(' ') + 1));
          if (role == Role::none) {
            expected = "document_not_found";
          } else if (role < role_for(route.need)) {
            expected = "role_too_low";
          }
        } else if (route.need == Need::admin && !claims.is_admin) {
          expected = "admin_required";
        } else if (claims.document && (route.operation == Operation::create_document ||
                                       route.operation == Operation::original_create ||
                                       route.operation == Operation::list_documents)) {
          expected = "document_token_only";
        }
        EXPECT_EQ(refusal(route, document, name), expected)
            << route.method << ' ' << route.path << " as " << name;
        ++(expected.empty() ? permits : refusals);
      }
    }
  }
  EXPECT_GT(permits, all_routes().size());
  EXPECT_GT(refusals, all_routes().size());
}

TEST_F(AccessControlTest, WithoutATokenOnlyWhatIsForEverybody) {
  for (const Route& route : all_routes()) {
    const std::string expected = route.need == Need::nothing ? "" : "token_required";
    EXPECT_EQ(refusal(route, own, ""), expected) << route.path;
    EXPECT_EQ(refusal(route, own, "made up"), expected.empty() ? "" : "token_malformed");
  }
}

TEST_F(AccessControlTest, ARevokedTokenOpensNothing) {
  for (const auto& [name, claims] : tokens) {
    members.revoke_anywhere(claims.token_id, (now_s + 60) * 1'000'000, loop, [](const auto&) {});
  }
  learn();
  for (const Route& route : all_routes()) {
    for (const auto& [name, claims] : tokens) {
      EXPECT_EQ(refusal(route, own, name), route.need == Need::nothing ? "" : "token_revoked")
          << route.path << " as " << name;
    }
  }
}

TEST_F(AccessControlTest, NobodyIsLetInBeforeTheRevocationsAreKnown) {
  AccessControl fresh({[this](std::string_view token, std::int64_t) {
                         return Result(tokens.at(std::string(token)));
                       },
                       {}},
                      members, clock);
  EXPECT_FALSE(fresh.is_ready());
  EXPECT_EQ(fresh.read("admin").error().code, "access_not_ready");
  fresh.learn({});
  EXPECT_TRUE(fresh.is_ready());
  EXPECT_TRUE(fresh.read("admin").ok());
  EXPECT_TRUE(AccessControl({}, members, clock).is_ready())
      << "without keys there is nothing to know";
}

TEST_F(AccessControlTest, ARevocationIsForgottenAfterItsTokensEnd) {
  control.learn({{7, {}, {}, "id of admin", (now_s - 3'700) * 1'000'000}});
  EXPECT_TRUE(control.read("admin").ok()) << "such a token has ended by itself";
  control.learn({{8, {}, {}, "id of admin", (now_s - 60) * 1'000'000}});
  EXPECT_EQ(control.read("admin").error().code, "token_revoked");
}

TEST_F(AccessControlTest, ADamagedChangeVoidsItsTokenAndHidesNoOther) {
  control.learn({{7, {}, {}, "another", now_s * 1'000'000},
                 {263, {}, {}, "id of admin", INT64_MAX / 2, true}});
  EXPECT_EQ(control.read("admin").error().code, "token_revoked");
  EXPECT_EQ(control.last_change(), 7u);
}

TEST_F(AccessControlTest, WhatWasMintedThroughARevokedTokenIsVoid) {
  access::Claims& child = tokens["token viewer"];
  child.via = {"parent", "grandparent"};
  EXPECT_TRUE(control.is_good(child));
  members.revoke_anywhere("grandparent", (now_s + 60) * 1'000'000, loop, [](const auto&) {});
  learn();
  EXPECT_FALSE(control.is_good(child));
  EXPECT_EQ(control.read("token viewer").error().code, "token_revoked");
  EXPECT_TRUE(control.read("token owner").ok());
}

TEST_F(AccessControlTest, AMintedTokenHandsOnItsMintersPower) {
  const std::string link = R"({"role":"owner","kind":"guest"})";
  EXPECT_EQ(ask_for_token("user owner", link), "");
  EXPECT_EQ(minted.by, "user owner");
  EXPECT_TRUE(minted.via.empty());
  EXPECT_EQ(ask_for_token("admin", link), "");
  EXPECT_EQ(minted.by, "");
  EXPECT_EQ(ask_for_token("token owner", link), "");
  EXPECT_EQ(minted.by, "") << "as its parent's, which an admin has made";
  EXPECT_EQ(minted.via, std::vector<std::string>{"id of token owner"});

  access::Claims& parent = tokens["delegated owner"];
  for (std::size_t n = 1; n < access::max_via; ++n) parent.via.push_back(std::to_string(n));
  EXPECT_EQ(ask_for_token("delegated owner", link), "");
  EXPECT_EQ(minted.by, "user owner");
  ASSERT_EQ(minted.via.size(), access::max_via);
  EXPECT_EQ(minted.via[0], "id of delegated owner");
  EXPECT_EQ(minted.via[1], "1");
  parent.via.emplace_back("one more");
  EXPECT_EQ(ask_for_token("delegated owner", link), "token_chain_too_long");
}

TEST_F(AccessControlTest, NobodyMintsTokensThatBearAnothersName) {
  const auto body = [](const std::string& kind, const std::string& user) {
    return R"({"role":"editor","kind":")" + kind + R"(","user":")" + user + "\"}";
  };
  EXPECT_EQ(ask_for_token("user owner", body("person", "user owner")), "");
  EXPECT_EQ(ask_for_token("user owner", body("person", "ada")), "foreign_user");
  EXPECT_EQ(ask_for_token("user owner", body("person", "user editor")), "foreign_user");
  EXPECT_EQ(ask_for_token("user owner", body("program", "user owner")), "");
  EXPECT_EQ(ask_for_token("user owner", body("program", "ci")), "");
  EXPECT_EQ(ask_for_token("user owner", body("program", "user editor")), "foreign_user");
  EXPECT_EQ(ask_for_token("admin", body("person", "ada")), "");
  EXPECT_EQ(ask_for_token("admin", body("program", "user editor")), "");
  // A program with a made-up user does not become the person of that name.
  tokens["token owner"].user = "ada";
  tokens["token owner"].kind = access::CallerKind::program;
  EXPECT_EQ(ask_for_token("token owner", body("person", "ada")), "foreign_user");
  EXPECT_EQ(ask_for_token("token owner", body("program", "ada")), "");
}

TEST_F(AccessControlTest, ADocumentsTokenTakesNoPlaceOfTheUsersOwn) {
  AccessControl narrow({[this](std::string_view token, std::int64_t) {
                          return Result(tokens.at(std::string(token)));
                        },
                        {}},
                       members, clock, 1);
  narrow.learn({});
  tokens["token editor"].user = "user editor";
  std::vector<std::shared_ptr<void>> places;
  const auto admit = [&](const std::string& token) {
    std::string code;
    narrow.admit(own, token, loop, [&](const Result<collab::Admission>& admission) {
      if (admission.ok()) return places.push_back(admission->place);
      code = admission.error().code;
    });
    return code;
  };
  EXPECT_EQ(admit("token editor"), "");
  EXPECT_EQ(admit("token editor"), "too_many_user_sessions");
  EXPECT_EQ(admit("user editor"), "");
  EXPECT_EQ(admit("user editor"), "too_many_user_sessions");
  places.clear();
  EXPECT_EQ(admit("user editor"), "");
  EXPECT_NE(access::counted_as(tokens["token editor"]), access::counted_as(tokens["user editor"]));
}

TEST_F(AccessControlTest, ATokenCountsToTheEndOfTheLeeway) {
  access::Claims& claims = tokens["user editor"];
  claims.expires_s = now_s - access::leeway_s + 1;
  EXPECT_EQ(control.time_left_ms(claims), 1'000);
  EXPECT_TRUE(control.is_good(claims));
  claims.expires_s = now_s - access::leeway_s;
  EXPECT_EQ(control.time_left_ms(claims), 0);
  EXPECT_FALSE(control.is_good(claims));
}

// Its body may take half a minute.
TEST_F(AccessControlTest, ATokenThatIsRevokedWhileItsRequestComesOpensNothing) {
  Request request{"GET", "/api/v1/documents/" + own.to_string() + "/members", {}, "", "request"};
  request.headers.emplace_back("Authorization", "Bearer user owner");
  auto judged = api.judge(request);
  ASSERT_TRUE(std::holds_alternative<Entry>(judged));
  members.revoke_anywhere("id of user owner", (now_s + 60) * 1'000'000, loop, [](const auto&) {});
  learn();
  unsigned status = 0;
  api.answer(std::get<Entry>(std::move(judged)), request, loop,
             [&](const Response& response) { status = response.status; });
  EXPECT_EQ(status, 401u);
}

TEST_F(AccessControlTest, TheSchemeIsBearer) {
  const auto code = [this](std::vector<std::string> values) -> std::string {
    Request request{"GET", "/api/v1/me", {}, "", "request"};
    for (std::string& value : values) request.headers.emplace_back("Authorization", value);
    const auto claims = control.caller_of(request);
    return claims.ok() ? claims->user : std::string(claims.error().code);
  };
  EXPECT_EQ(code({"Bearer admin"}), "admin");
  EXPECT_EQ(code({"bearer  admin "}), "admin");
  EXPECT_EQ(code({}), "token_required");
  EXPECT_EQ(code({"Basic YTpi"}), "bad_authorization");
  EXPECT_EQ(code({"Bearer"}), "bad_authorization");
  EXPECT_EQ(code({"Bearer admin", "Bearer admin"}), "bad_authorization");
}

TEST(MemberNames, AreThoseThatTokensCanBear) {
  for (const std::string good : {"ann", "Ann Lee", "アン"})
    EXPECT_TRUE(check_user(good).ok()) << good;
  for (const std::string bad :
       {"", "a\nb", "a\u0085b", "ann\u202e", "ann\u2066", "a\u2028b", "\xff"}) {
    EXPECT_EQ(check_user(bad).error().code, "bad_user") << bad;
  }
  EXPECT_EQ(check_user(std::string(129, 'a')).error().code, "bad_user");
  EXPECT_EQ(
      parse_token_request(R"({"role":"viewer","kind":"guest","name":"x\u202e"})").error().code,
      "bad_name");
}

TEST(RevokeRequest, TheEndIsInTheFutureOrLeftOut) {
  constexpr std::int64_t now_us = now_s * 1'000'000;
  const auto with_end = [](const std::string& ends) {
    return parse_revoke_request(R"({"token_id":"x","expires_at":")" + ends + "\"}", now_us);
  };
  EXPECT_EQ(parse_revoke_request(R"({"token_id":"x"})", now_us)->expires_us,
            now_us + std::int64_t{366} * 86'400 * 1'000'000);
  EXPECT_EQ(with_end("").error().code, "bad_time");
  // now_s is 2027-01-15T08:00:00Z. A token counts a minute longer, and so can be revoked.
  EXPECT_EQ(with_end("2027-01-15T07:59:01Z")->expires_us, now_us - 59'000'000);
  EXPECT_EQ(with_end("2027-01-15T07:59:00Z").error().code, "already_ended");
  EXPECT_EQ(with_end("1999-01-01T00:00:00Z").error().code, "already_ended");
}

}  // namespace
}  // namespace weft::server

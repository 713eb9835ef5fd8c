// The door of the REST API: every route, every role, live and revoked tokens, the own document and
// another one. What is expected follows from the table in docs/adr/0012-access.md, written out here
// again.
#include "server/access_control.h"

#include <gtest/gtest.h>

#include <future>
#include <map>

#include "server/rest_api.h"
#include "server/server_metrics.h"
#include "server/test_documents.h"
#include "tests/support/memory_access_store.h"

namespace weft::server {
namespace {

using access::Role;

constexpr std::int64_t now_s = 1'800'000'000;

class StoppedClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override { return 0; }
  std::int64_t unix_us() const override { return now_s * 1'000'000; }
};

class AccessControlTest : public testing::Test {
 protected:
  AccessControlTest() {
    learn();
    for (const Role role : {Role::viewer, Role::commenter, Role::editor, Role::owner}) {
      const std::string name(to_string(role));
      members.set_member(own, "user " + name, role, loop, [](const auto&) {});
      give("user " + name, false, {}, {});
      give("token " + name, false, own, role);
    }
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
  simulation::MemoryAccessStore members;
  AccessControl control{{[this](std::string_view token, std::int64_t) -> Result<access::Claims> {
                           const auto found = tokens.find(std::string(token));
                           if (found != tokens.end()) return found->second;
                           return Error{ErrorClass::denied, "token_malformed", "void"};
                         },
                         [](const access::Claims&) { return Result<std::string>("minted"); }},
                        members,
                        clock};
  FakeDocuments documents;
  NoLog log;
  AccessApi access{control, members, clock, random, [] {}};
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
          if (here && name != "stranger")
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

}  // namespace
}  // namespace weft::server

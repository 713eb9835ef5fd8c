#include "server/rest_api.h"

#include <gtest/gtest.h>

#include "server/problem.h"
#include "server/server_metrics.h"
#include "server/test_documents.h"
#include "tests/support/memory_access_store.h"

namespace weft::server {
namespace {

class NoClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override { return 0; }
  std::int64_t unix_us() const override { return 0; }
};

class RestApiTest : public testing::Test {
 protected:
  Response ask(std::string method, std::string target, std::string body = {},
               std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request{std::move(method), std::move(target), std::move(headers), std::move(body),
                    "id"};
    int answers = 0;
    Response answer;
    ask_api(api, request, loop, [&](Response response) {
      ++answers;
      answer = std::move(response);
    });
    EXPECT_EQ(answers, 1);
    return answer;
  }

  std::string header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  const std::string document = "/api/v1/documents/01234567-89ab-4cde-8f01-23456789abcd";
  Inline loop;
  Counting random;
  FakeDocuments documents;
  NoLog log;
  NoClock clock;
  simulation::MemoryAccessStore members;
  AccessControl control{{}, members, clock};
  AccessApi access{control, members, clock, random, [](const auto& then) { then(); }};
  HistoryApi history{{}, documents, log, log, documents};
  DocumentsApi own{{}, 1, wire::Limits{}, documents, documents, control, history, random};
  wire::Limits limits;
  RestRates rates{limits};
  metrics::Registry registry;
  ServerMetrics server_metrics{registry};
  QuietLog quiet;
  Replicas replicas{{}, {}, clock, quiet, loop, {}, {}};
  OperationApi operation{documents, control, registry, server_metrics.database_up};
  EditApi edits{{}, limits, log, documents};
  LogApi log_api{limits, documents, log, documents};
  LiveApi live{limits, control, documents, log, documents};
  SeedApi seed{{}, documents, log, documents, own};
  RestApi api{"1.2.3",
              {control, rates, clock, access, own, history, edits, log_api, live, seed, operation,
               replicas},
              PageFiles({}, "")};
};

TEST_F(RestApiTest, DeletingForgetsTheOpenDocument) {
  EXPECT_EQ(ask("DELETE", document).status, 204u);
  EXPECT_EQ(documents.asked, (std::vector<std::string>{"remove", "forget"}));
}

TEST_F(RestApiTest, DeletingForGoodErasesAndForgets) {
  EXPECT_EQ(ask("DELETE", document + "?hard=true").status, 204u);
  EXPECT_EQ(ask("DELETE", document + "?hard=false").status, 204u);
  EXPECT_EQ(documents.asked, (std::vector<std::string>{"erase", "forget", "remove", "forget"}));
}

TEST_F(RestApiTest, UndeletingAnswersTheDocument) {
  documents.record.last_index = 7;
  const Response response = ask("POST", document + "/undelete");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "ETag"), "\"7\"");
  EXPECT_EQ(documents.asked, (std::vector<std::string>{"undelete"}));
}

TEST_F(RestApiTest, AFailedDeletionForgetsNothing) {
  documents.fails = true;
  documents.error = {ErrorClass::gone, "document_deleted", "It was deleted."};
  EXPECT_EQ(ask("DELETE", document).status, 410u);
  EXPECT_EQ(documents.asked, (std::vector<std::string>{"remove"}));
}

TEST_F(RestApiTest, ErrorsOfTheStoreKeepTheirClass) {
  documents.fails = true;
  for (const auto& [error_class, status] :
       {std::pair{ErrorClass::corrupt, 500u}, std::pair{ErrorClass::unavailable, 503u},
        std::pair{ErrorClass::overloaded, 503u}, std::pair{ErrorClass::conflict, 409u},
        std::pair{ErrorClass::too_large, 413u}}) {
    documents.error = {error_class, "some_code", "Some message."};
    for (const std::string& path :
         {document, document + "/text", std::string("/api/v1/documents")}) {
      const Response response = ask("GET", path);
      EXPECT_EQ(response.status, status);
      EXPECT_NE(response.body.find("\"code\":\"some_code\""), std::string::npos);
      EXPECT_EQ(header(response, "Retry-After"), status == 503 ? "1" : "");
    }
  }
}

TEST_F(RestApiTest, CreatingMakesUnguessableIds) {
  const Response response =
      ask("POST", "/api/v1/documents", R"({"title":"x"})",
          {{"content-type", "Application/JSON; charset=utf-8"}, {"Idempotency-Key", "k1"}});
  EXPECT_EQ(response.status, 201u);
  EXPECT_EQ(documents.asked, (std::vector<std::string>{"create k1"}));
  EXPECT_NE(documents.created.id, documents.created.incarnation);
  EXPECT_EQ(header(response, "Location"), "/api/v1/documents/" + documents.created.id.to_string());
}

TEST_F(RestApiTest, RefusesBeforeAskingTheStore) {
  EXPECT_EQ(ask("POST", "/api/v1/documents", R"({"title":"x"})").status, 415u);
  EXPECT_EQ(ask("POST", "/api/v1/documents", "{", {{"Content-Type", "application/json"}}).status,
            400u);
  EXPECT_EQ(ask("GET", "/api/v1/documents?limit=0").status, 400u);
  EXPECT_EQ(ask("PUT", document).status, 405u);
  EXPECT_EQ(ask("DELETE", document + "?hard=yes").status, 400u);
  EXPECT_EQ(ask("DELETE", document + "?soft=true").status, 400u);
  EXPECT_EQ(ask("GET", document + "/undelete").status, 405u);
  EXPECT_EQ(ask("GET", "/api/v1/documents/1").status, 404u);
  EXPECT_EQ(ask("GET", "/api/v1/documentsx").status, 404u);
  EXPECT_EQ(ask("GET", document + "/text/").status, 404u);
  EXPECT_EQ(ask("GET", document + "/ws").status, 426u);
  EXPECT_TRUE(documents.asked.empty());
}

TEST_F(RestApiTest, AKnownVersionIsNotSentAgain) {
  documents.record.last_index = 12;
  EXPECT_EQ(header(ask("GET", document + "/text"), "ETag"), "\"12\"");
  const Response same = ask("GET", document + "/text", "", {{"If-None-Match", "\"12\""}});
  EXPECT_EQ(same.status, 304u);
  EXPECT_TRUE(same.content().empty());
  EXPECT_EQ(ask("GET", document + "/text", "", {{"If-None-Match", "\"11\""}}).status, 200u);
}

TEST_F(RestApiTest, HealthSaysWhenItDrains) {
  EXPECT_EQ(ask("GET", "/healthz").status, 200u);
  api.start_draining();
  const Response response = ask("GET", "/healthz");
  EXPECT_EQ(response.status, 200u);
  EXPECT_NE(response.content().find("draining"), std::string::npos);
}

TEST_F(RestApiTest, AMissingPageSaysHowToBuildIt) {
  const Response response = ask("GET", "/");
  EXPECT_EQ(response.status, 503u);
  EXPECT_NE(response.content().find("./dev build"), std::string::npos);
  EXPECT_EQ(ask("GET", "/assets/app.js").status, 404u);
}

}  // namespace
}  // namespace weft::server

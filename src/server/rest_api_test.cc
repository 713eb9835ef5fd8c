#include "server/rest_api.h"

#include <gtest/gtest.h>

#include "server/problem.h"

namespace weft::server {
namespace {

/// Work runs where it is posted.
class Inline final : public Executor {
 public:
  void post(std::function<void()> work) override { work(); }
  void post_after(std::int64_t, std::function<void()> work) override { work(); }
};

class Counting final : public Random {
 public:
  std::uint64_t next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

/// Answers everything with one error, or with one record; remembers what was asked for.
class FakeDocuments final : public collab::Catalog, public DocumentLoops {
 public:
  Error error;
  collab::DocumentRecord record;
  bool fails = false;
  std::vector<std::string> asked;
  NewDocument created;
  std::string text = "the text";
  std::vector<collab::TextEdit> edits;

  void create(NewDocument document, Executor&, collab::Done<Created> done) override {
    asked.emplace_back("create " + document.idempotency_key);
    created = document;
    record.id = document.id;
    record.title = document.title;
    if (fails) return done(error);
    done(Created{record, true});
  }
  void get(const DocumentId&, Executor&, collab::Done<collab::DocumentRecord> done) override {
    asked.emplace_back("get");
    if (fails) return done(error);
    done(record);
  }
  void list(std::string cursor, std::size_t limit, Executor&, collab::Done<Page> done) override {
    asked.emplace_back("list " + cursor + " " + std::to_string(limit));
    if (fails) return done(error);
    done(Page{{record}, "next"});
  }
  void remove(const DocumentId&, Executor&, collab::Done<Unit> done) override {
    asked.emplace_back("remove");
    if (fails) return done(error);
    done(Unit{});
  }
  void undelete(const DocumentId&, Executor&, collab::Done<collab::DocumentRecord> done) override {
    asked.emplace_back("undelete");
    if (fails) return done(error);
    done(record);
  }
  void erase(const DocumentId&, Executor&, collab::Done<Unit> done) override {
    asked.emplace_back("erase");
    if (fails) return done(error);
    done(Unit{});
  }
  void read_text(const DocumentId&, Executor&, collab::Done<collab::TextAnswer> done) override {
    asked.emplace_back("text");
    if (fails) return done(error);
    done(collab::TextAnswer{record, "the text", 3});
  }
  void edit(const DocumentId&, collab::ServerEdit request, Executor&,
            collab::Done<collab::EditAnswer> done) override {
    asked.emplace_back("edit");
    if (fails) return done(error);
    rga::Document document;
    document.set_local_site(1);
    document.insert({0}, text, nullptr);
    const auto planned = request.plan(document, record.last_index);
    if (!planned.ok()) return done(planned.error());
    edits = *planned;
    done(collab::EditAnswer{record, record.last_index});
  }
  void forget(const DocumentId&, Executor&, std::function<void()> done) override {
    asked.emplace_back("forget");
    done();
  }
};

/// A log that cannot be read: these tests do not look back.
class NoLog final : public collab::Journal, public collab::History {
 public:
  void append(const DocumentId&, std::uint64_t, std::vector<collab::LogRow>, Executor&,
              collab::Done<std::uint64_t> done) override {
    done(error);
  }
  void load(const DocumentId&, Executor&, collab::Done<Loaded> done) override { done(error); }
  void read_rows(const DocumentId&, std::uint64_t, std::size_t, Executor&,
                 collab::Done<std::vector<collab::LogRow>> done) override {
    done(error);
  }
  void version_at(const DocumentId&, std::uint64_t, Executor&,
                  collab::Done<rga::VersionVector> done) override {
    done(error);
  }
  void lease_site(const DocumentId&, const ClientId&, Executor&,
                  collab::Done<std::uint64_t> done) override {
    done(error);
  }
  void save_snapshot(const DocumentId&, std::uint64_t, std::string, Executor&,
                     collab::Done<Unit> done) override {
    done(error);
  }
  void load_at(const DocumentId&, std::uint64_t, Executor&,
               collab::Done<collab::Journal::Loaded> done) override {
    done(error);
  }
  void index_at_time(const DocumentId&, std::int64_t, Executor&,
                     collab::Done<std::uint64_t> done) override {
    done(error);
  }
  void row_infos(const DocumentId&, std::uint64_t, std::size_t, Executor&,
                 collab::Done<std::vector<collab::RowInfo>> done) override {
    done(error);
  }
  void insert_infos(const DocumentId&, std::uint64_t, std::uint64_t, Executor&,
                    collab::Done<std::vector<collab::InsertInfo>> done) override {
    done(error);
  }
  void name_version(const DocumentId&, std::string, std::uint64_t, Executor&,
                    collab::Done<collab::NamedVersion> done) override {
    done(error);
  }
  void list_versions(const DocumentId&, Executor&,
                     collab::Done<std::vector<collab::NamedVersion>> done) override {
    done(error);
  }
  void remove_version(const DocumentId&, std::string, Executor&, collab::Done<Unit> done) override {
    done(error);
  }

 private:
  const Error error{ErrorClass::unavailable, "read_failed", "there is no log"};
};

class RestApiTest : public testing::Test {
 protected:
  Response ask(std::string method, std::string target, std::string body = {},
               std::vector<std::pair<std::string, std::string>> headers = {}) {
    Request request{std::move(method), std::move(target), std::move(headers), std::move(body),
                    "id"};
    int answers = 0;
    Response answer;
    api.answer(request, loop, [&](Response response) {
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
  HistoryApi history{{}, documents, log, log, documents};
  RestApi api{
      {wire::Limits{}, "1.2.3", {}}, documents, documents, history, random, PageFiles({}, "")};
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
  EXPECT_EQ(ask("GET", "/healthz").status, 503u);
}

TEST_F(RestApiTest, AMissingPageSaysHowToBuildIt) {
  const Response response = ask("GET", "/");
  EXPECT_EQ(response.status, 503u);
  EXPECT_NE(response.content().find("./dev build"), std::string::npos);
  EXPECT_EQ(ask("GET", "/assets/app.js").status, 404u);
}

}  // namespace
}  // namespace weft::server

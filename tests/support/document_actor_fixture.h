// One document on one shard, with everything outside of it simulated: for the tests of
// DocumentActor, which speak to it through Shard and look at what clients and journal see.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collab/shard.h"
#include "tests/support/sim_client.h"
#include "tests/support/simulation.h"

namespace weft::collab {

using simulation::MemoryJournal;
using simulation::SimClient;
using wire::CloseCode;

class DocumentActorTest : public ::testing::Test {
 protected:
  DocumentActorTest() {
    journal_.create(id_);
    restart();
  }

  void restart() {
    shard_ =
        std::make_unique<Shard>(ShardPorts{executor_, executor_, random_, log_, journal_}, config_);
  }
  SimClient client(std::uint64_t number) {
    return SimClient(executor_, id_, Uuid::from_random(5, number));
  }
  void join(SimClient& client) {
    client.connect(*shard_);
    executor_.settle();
    ASSERT_TRUE(client.welcomed()) << client.close_reason();
  }
  /// Three rows of 600,000 bytes that do not become less when they are packed.
  void paste_more_than_the_cache_holds(SimClient& author) {
    for (int row = 0; row < 3; ++row) {
      std::string text(600'000, ' ');
      for (char& c : text) c = static_cast<char>('!' + random_.below(90));
      author.insert(0, text);
      executor_.settle();
    }
  }
  std::string text_of(const DocumentId& id) {
    std::string text = "no answer";
    shard_->read_text(id, [&](Result<TextAnswer> answer) {
      text = answer.ok() ? answer->text : std::string(answer.error().code);
    });
    executor_.settle();
    return text;
  }
  /// The close code and reason that a raw first message earns.
  std::string first_message(const std::string& message) {
    auto outbox = std::make_shared<simulation::SimulatedOutbox>(executor_);
    std::string end = "open";
    std::string reason;
    outbox->on_message = [&](std::string_view bytes) {
      const auto decoded = wire::decode_server_message(bytes);
      if (const auto* refused = std::get_if<wire::Refused>(&**decoded)) reason = refused->code;
    };
    outbox->on_close = [&](CloseCode code) {
      end = std::to_string(static_cast<int>(code)) + " " + reason;
    };
    const auto session = shard_->connect(id_, outbox);
    session->receive(message);
    executor_.settle();
    return end;
  }
  void expect_closed(const SimClient& client, CloseCode code, std::string_view reason) {
    ASSERT_TRUE(client.close_code().has_value());
    EXPECT_EQ(*client.close_code(), code);
    EXPECT_EQ(client.close_reason(), reason);
  }

  simulation::VirtualExecutor executor_;
  simulation::SeededRandom random_{1};
  simulation::RecordingLog log_;
  MemoryJournal journal_{executor_};
  const DocumentId id_ = Uuid::from_random(1, 1);
  ShardConfig config_;
  std::unique_ptr<Shard> shard_;
};

}  // namespace weft::collab

// Messages between servers: there and back, cut short, and from a newer server.
#include "collab/replica_message.h"

#include <gtest/gtest.h>

namespace weft::collab {
namespace {

const DocumentId document = Uuid::from_random(1, 2);
const Uuid instance = Uuid::from_random(3, 4);

LogRow row(std::uint64_t index, std::string text) {
  LogRow row;
  row.index = index;
  row.base = index - 1;
  row.len = static_cast<std::uint32_t>(text.size());
  row.id = {1, index, 2, index};
  row.text = std::move(text);
  row.timestamp_us = 1'700'000'000'000'000;
  return row;
}

std::vector<std::string> samples() {
  wire::Presence state;
  state.name = "Ada";
  state.colour = 0x010203;
  state.selections.push_back({});
  PresenceNews presence{document, 7, {}};
  presence.peers.push_back({11, true, 3, "ada", state});
  presence.peers.push_back({12, false, 0, "", {}});
  return {
      encode(ReplicaMessage{"a", instance,
                            LogNews{document, instance, 6, {row(5, "x"), row(6, "yz")}}}),
      encode(ReplicaMessage{"a", instance, LogNews{document, instance, 9, {}}}),
      encode(ReplicaMessage{"a", instance, std::move(presence)}),
      encode(ReplicaMessage{"a", instance, DocumentGone{document}}),
      encode(ReplicaMessage{"a", instance, AccessNews{}}),
  };
}

ReplicaMessage read(std::string_view bytes) {
  auto decoded = decode_replica_message(bytes);
  EXPECT_TRUE(decoded.ok() && decoded->has_value());
  return decoded.ok() && decoded->has_value() ? std::move(**decoded) : ReplicaMessage{};
}

TEST(ReplicaMessage, ComesBackAsItWas) {
  const auto all = samples();
  const ReplicaMessage log = read(all[0]);
  EXPECT_EQ(log.replica, "a");
  EXPECT_EQ(log.instance, instance);
  EXPECT_EQ(document_of(log), document);
  const auto& news = std::get<LogNews>(log.content);
  ASSERT_EQ(news.rows.size(), 2u);
  EXPECT_EQ(news.rows[0].index, 5u);
  EXPECT_EQ(news.rows[1].index, 6u);
  EXPECT_EQ(news.rows[1].base, 5u);
  EXPECT_EQ(news.rows[1].text, "yz");
  EXPECT_EQ(news.rows[1].timestamp_us, 1'700'000'000'000'000);
  EXPECT_EQ(std::get<LogNews>(read(all[1]).content).last_index, 9u);
  const ReplicaMessage seen = read(all[2]);
  const auto& presence = std::get<PresenceNews>(seen.content);
  EXPECT_EQ(presence.order, 7u);
  ASSERT_EQ(presence.peers.size(), 2u);
  EXPECT_EQ(presence.peers[0].user, "ada");
  EXPECT_EQ(presence.peers[0].state.name, "Ada");
  EXPECT_EQ(presence.peers[0].state.selections.size(), 1u);
  EXPECT_FALSE(presence.peers[1].present);
  EXPECT_EQ(std::get<DocumentGone>(read(all[3]).content).document, document);
  EXPECT_TRUE(std::holds_alternative<AccessNews>(read(all[4]).content));
  EXPECT_TRUE(document_of(read(all[4])).is_nil());
}

TEST(ReplicaMessage, CutShortIsAnError) {
  for (const std::string& whole : samples()) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto decoded = decode_replica_message(std::string_view(whole).substr(0, size));
      ASSERT_FALSE(decoded.ok()) << size << " of " << whole.size();
      EXPECT_EQ(decoded.error().code, "malformed_replica_message");
    }
  }
}

TEST(ReplicaMessage, WhatANewerServerSaysIsNoError) {
  std::string newer = samples()[3];
  newer[0] = 2;
  EXPECT_TRUE(decode_replica_message(newer).ok());
  EXPECT_FALSE(decode_replica_message(newer)->has_value());
  std::string kind = samples()[3];
  kind[1] = 99;
  EXPECT_FALSE(decode_replica_message(kind)->has_value());
  EXPECT_TRUE(decode_replica_message(samples()[3] + "more fields").ok());
}

TEST(ReplicaMessage, RowsBeforeTheLogAreRefused) {
  LogNews news{document, instance, 1, {row(5, "x"), row(6, "y")}};
  EXPECT_FALSE(decode_replica_message(encode(ReplicaMessage{"a", instance, news})).ok());
}

}  // namespace
}  // namespace weft::collab

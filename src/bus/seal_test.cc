#include "bus/seal.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weft::bus {
namespace {

/// Nothing but a wire that the test holds both ends of.
class BareBus final : public collab::Bus {
 public:
  explicit BareBus(std::vector<std::string>& sent, Heard& heard) : sent_(sent), heard_(heard) {}
  void start(Heard heard) override { heard_ = std::move(heard); }
  void publish(std::string message) override { sent_.push_back(std::move(message)); }
  std::size_t max_message_bytes() const override { return 1'058; }

 private:
  std::vector<std::string>& sent_;
  Heard& heard_;
};

SealSecret secret_of(char letter) { return *SealSecret::from(std::string(32, letter)); }

struct Seals : testing::Test {
  metrics::Counter rejected, too_large;
  std::vector<std::string> sent, heard;
  collab::Bus::Heard wire;

  SealedBus make(char letter = 's') {
    BusMetrics metrics;
    metrics.rejected = rejected;
    metrics.too_large = too_large;
    return SealedBus(std::make_unique<BareBus>(sent, wire), secret_of(letter), metrics);
  }
  void listen(SealedBus& bus) {
    bus.start([this](std::string message) { heard.push_back(std::move(message)); });
  }
};

TEST(SealSecret, HasThirtyTwoBytes) {
  EXPECT_FALSE(SealSecret::from(""));
  EXPECT_FALSE(SealSecret::from(std::string(31, 'x')));
  EXPECT_FALSE(SealSecret::from(std::string(33, 'x')));
  EXPECT_TRUE(SealSecret::from(std::string(32, '\0')));
}

TEST(SealSecret, GivesTheBytesThatTheHeaderDescribes) {
  // printf 'weft bus\n\x57\x01hello' | openssl dgst -sha256 -hmac ssssssssssssssssssssssssssssssss
  const std::string sealed = secret_of('s').seal("hello");
  ASSERT_EQ(sealed.size(), 34u + 5u);
  EXPECT_EQ(sealed.substr(0, 2), "\x57\x01");
  EXPECT_EQ(sealed.substr(34), "hello");
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : sealed.substr(2, 32)) {
    hex += digits[static_cast<unsigned char>(c) >> 4];
    hex += digits[static_cast<unsigned char>(c) & 15];
  }
  EXPECT_EQ(hex, "99b6332a10224e90e16bcd0e6877674d40a40ee5f4ff4ea1baa8b34ccd44f195");
}

TEST_F(Seals, AMessageComesThroughAsItWas) {
  auto bus = make();
  listen(bus);
  const std::string binary("\0\xff\x57\x01", 4);
  for (const std::string& message : {std::string("hello"), binary, std::string()}) {
    bus.publish(message);
    wire(sent.back());
    EXPECT_EQ(heard.back(), message);
  }
  EXPECT_EQ(heard.size(), 3u);
  EXPECT_EQ(rejected.value(), 0u);
}

TEST_F(Seals, EveryChangedBitIsNoticed) {
  auto bus = make();
  listen(bus);
  bus.publish("the log of 7 ends at 42");
  const std::string sealed = sent.back();
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string forged = sealed;
      forged[at] = static_cast<char>(forged[at] ^ (1 << bit));
      wire(forged);
      ASSERT_TRUE(heard.empty()) << "byte " << at << ", bit " << bit;
    }
  }
  EXPECT_EQ(rejected.value(), sealed.size() * 8);
}

TEST_F(Seals, EveryShortenedAndLengthenedMessageIsNoticed) {
  auto bus = make();
  listen(bus);
  bus.publish("the log of 7 ends at 42");
  const std::string sealed = sent.back();
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    wire(sealed.substr(0, size));
    wire(sealed.substr(sealed.size() - size));
  }
  wire(sealed + '\0');
  wire('\0' + sealed);
  EXPECT_TRUE(heard.empty());
  EXPECT_EQ(rejected.value(), sealed.size() * 2 + 2);
}

TEST_F(Seals, AnotherSecretIsNone) {
  auto theirs = make('t');
  theirs.publish("let me in");
  const std::string foreign = sent.back();
  auto bus = make('s');
  listen(bus);
  wire(foreign);
  EXPECT_TRUE(heard.empty());
  EXPECT_EQ(rejected.value(), 1u);
}

TEST_F(Seals, AMessagePlayedAgainIsTheSameMessage) {
  auto bus = make();
  listen(bus);
  bus.publish("a");
  bus.publish("b");
  // In any order, any number of times: never anything that was not published.
  for (const std::size_t i : {1u, 0u, 1u, 0u, 0u}) wire(sent[i]);
  EXPECT_EQ(heard, (std::vector<std::string>{"b", "a", "b", "a", "a"}));
}

TEST_F(Seals, TheSealOfOneMessageDoesNotFitAnother) {
  auto bus = make();
  listen(bus);
  bus.publish("one");
  bus.publish("two");
  wire(sent[0].substr(0, SealSecret::overhead_bytes) + "two");
  EXPECT_TRUE(heard.empty());
}

TEST_F(Seals, TheLargestMessageFitsAndALargerOneIsDropped) {
  auto bus = make();
  listen(bus);
  ASSERT_EQ(bus.max_message_bytes(), 1'024u);
  bus.publish(std::string(1'024, 'x'));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].size(), 1'058u);
  bus.publish(std::string(1'025, 'x'));
  EXPECT_EQ(sent.size(), 1u);
  EXPECT_EQ(too_large.value(), 1u);
}

}  // namespace
}  // namespace weft::bus

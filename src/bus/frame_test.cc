#include "bus/frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "access/base64url.h"

namespace weft::bus {
namespace {

constexpr std::size_t notify = 7'999;  // what PostgreSQL takes

using Messages = std::vector<std::string>;

TEST(Frame, GivesBackWhatItWasGiven) {
  Frame frame(notify);
  const Messages messages{"one", "", std::string("\0\xff", 2), std::string(300, 'x')};
  for (const std::string& message : messages) EXPECT_TRUE(frame.add(message));
  EXPECT_EQ(frame.messages(), 4u);
  EXPECT_EQ(Frame::read(frame.payload()), messages);
}

TEST(Frame, TheLargestMessageFillsAPayload) {
  Frame frame(notify);
  EXPECT_FALSE(frame.add(std::string(Frame::max_message_bytes(notify) + 2, 'x')));
  const std::string largest(Frame::max_message_bytes(notify), 'x');
  ASSERT_TRUE(frame.add(largest));
  EXPECT_GT(frame.payload().size(), notify - 4);
  EXPECT_LE(frame.payload().size(), notify);
  EXPECT_EQ(Frame::read(frame.payload()), Messages{largest});
  EXPECT_FALSE(frame.add("x"));
  EXPECT_EQ(frame.messages(), 1u);
}

TEST(Frame, NeverPassesWhatPostgresTakes) {
  for (const std::size_t size : {0u, 1u, 10u, 126u, 127u, 128u, 1'000u, 5'000u}) {
    Frame frame(notify);
    while (frame.add(std::string(size, 'y'))) {
      ASSERT_LE(frame.payload().size(), notify);
      if (frame.messages() > 6'000) break;
    }
    EXPECT_EQ(Frame::read(frame.payload())->size(), frame.messages());
  }
}

TEST(Frame, RefusesWhatIsNone) {
  const auto text = [](std::string_view bytes) { return access::to_base64url(bytes); };
  EXPECT_FALSE(Frame::read(""));
  EXPECT_FALSE(Frame::read("hello, world"));
  EXPECT_FALSE(Frame::read(text("\x01")));                         // no message
  EXPECT_FALSE(Frame::read(text("\x02\x01x")));                    // another version
  EXPECT_FALSE(Frame::read(text("\x01\x02x")));                    // cut off
  EXPECT_FALSE(Frame::read(text("\x01\x01x\x80")));                // half a length
  EXPECT_FALSE(Frame::read(text("\x01\xff\xff\xff\xff\x0fxyz")));  // a length of gigabytes
  EXPECT_EQ(Frame::read(text("\x01\x01x")), Messages{"x"});
}

TEST(Frame, EveryCutPayloadGivesNothingOrAWholeBeginning) {
  Frame frame(notify);
  const Messages messages{"alpha", "beta", "gamma"};
  for (const std::string& message : messages) ASSERT_TRUE(frame.add(message));
  const std::string payload = frame.payload();
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const auto read = Frame::read(std::string_view(payload).substr(0, size));
    if (!read) continue;
    ASSERT_LT(read->size(), messages.size());
    EXPECT_TRUE(std::equal(read->begin(), read->end(), messages.begin()));
  }
}

}  // namespace
}  // namespace weft::bus

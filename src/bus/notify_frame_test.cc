#include "bus/notify_frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "access/base64url.h"

namespace weft::bus {
namespace {

using Messages = std::vector<std::string>;

TEST(NotifyFrame, GivesBackWhatItWasGiven) {
  NotifyFrame frame;
  const Messages messages{"one", "", std::string("\0\xff", 2), std::string(300, 'x')};
  for (const std::string& message : messages) EXPECT_TRUE(frame.add(message));
  EXPECT_EQ(frame.messages(), 4u);
  EXPECT_EQ(NotifyFrame::read(frame.payload()), messages);
}

TEST(NotifyFrame, TheLargestMessageFillsAPayload) {
  NotifyFrame frame;
  EXPECT_FALSE(frame.add(std::string(NotifyFrame::max_message_bytes + 1, 'x')));
  const std::string largest(NotifyFrame::max_message_bytes, 'x');
  ASSERT_TRUE(frame.add(largest));
  EXPECT_EQ(frame.payload().size(), NotifyFrame::max_payload_bytes);
  EXPECT_EQ(NotifyFrame::read(frame.payload()), Messages{largest});
  EXPECT_FALSE(frame.add(""));
  EXPECT_EQ(frame.messages(), 1u);
}

TEST(NotifyFrame, NeverPassesWhatPostgresTakes) {
  for (const std::size_t size : {0u, 1u, 10u, 126u, 127u, 128u, 1'000u, 5'000u}) {
    NotifyFrame frame;
    while (frame.add(std::string(size, 'y'))) {
      ASSERT_LE(frame.payload().size(), NotifyFrame::max_payload_bytes);
      if (frame.messages() > 6'000) break;
    }
    EXPECT_EQ(NotifyFrame::read(frame.payload())->size(), frame.messages());
  }
}

TEST(NotifyFrame, RefusesWhatIsNone) {
  const auto text = [](std::string_view bytes) { return access::to_base64url(bytes); };
  EXPECT_FALSE(NotifyFrame::read(""));
  EXPECT_FALSE(NotifyFrame::read("hello, world"));
  EXPECT_FALSE(NotifyFrame::read(text("\x01")));                         // no message
  EXPECT_FALSE(NotifyFrame::read(text("\x02\x01x")));                    // another version
  EXPECT_FALSE(NotifyFrame::read(text("\x01\x02x")));                    // cut off
  EXPECT_FALSE(NotifyFrame::read(text("\x01\x01x\x80")));                // half a length
  EXPECT_FALSE(NotifyFrame::read(text("\x01\xff\xff\xff\xff\x0fxyz")));  // a length of gigabytes
  EXPECT_FALSE(NotifyFrame::read(std::string(NotifyFrame::max_payload_bytes + 1, 'A')));
  EXPECT_EQ(NotifyFrame::read(text("\x01\x01x")), Messages{"x"});
}

TEST(NotifyFrame, EveryCutPayloadGivesNothingOrAWholeBeginning) {
  NotifyFrame frame;
  const Messages messages{"alpha", "beta", "gamma"};
  for (const std::string& message : messages) ASSERT_TRUE(frame.add(message));
  const std::string payload = frame.payload();
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const auto read = NotifyFrame::read(std::string_view(payload).substr(0, size));
    if (!read) continue;
    ASSERT_LT(read->size(), messages.size());
    EXPECT_TRUE(std::equal(read->begin(), read->end(), messages.begin()));
  }
}

}  // namespace
}  // namespace weft::bus

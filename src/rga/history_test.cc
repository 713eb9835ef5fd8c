// What a history accepts, what it refuses, and its bytes. Random histories: tests/property.
#include "rga/history.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::rga {
namespace {

Operation insert(S4Vector id, ElementId ref, std::string_view text) {
  return {OpKind::insert, static_cast<std::uint32_t>(text.size()), id, ref, text};
}
Operation erase(S4Vector id, ElementId ref, std::uint32_t len) {
  return {OpKind::erase, len, id, ref, {}};
}

std::string finished(HistoryWriter& writer) {
  std::string bytes;
  writer.finish(bytes);
  return bytes;
}

TEST(History, OfNothing) {
  HistoryWriter writer;
  const auto rows = read_history(finished(writer));
  ASSERT_TRUE(rows.ok());
  EXPECT_TRUE(rows->empty());
}

TEST(History, TheExampleOfTheFormat) {
  HistoryWriter writer;
  ASSERT_TRUE(writer.append(insert({1, 1, 7, 1}, {}, "ab")));
  ASSERT_TRUE(writer.append(erase({1, 3, 7, 3}, {7, 2}, 1)));
  ASSERT_TRUE(writer.append(insert({1, 3, 9, 1}, {7, 2}, "c")));
  const std::string bytes = finished(writer);
  EXPECT_EQ(bytes.substr(0, bytes.size() - 8), std::string_view("WFTH\x01\x01\x02\x07\x09\x03"
                                                                "\x03\x00\x00\x01"
                                                                "\x03\x08\x05\x04"
                                                                "\x03\x00\x00\x02"
                                                                "\x03\x01\x00\x02"
                                                                "\x02\x00\x01"
                                                                "\x03"
                                                                "abc",
                                                                33));
}

TEST(History, APurgeIsAnEraseAtTheHead) {
  HistoryWriter writer;
  ASSERT_TRUE(writer.append(insert({1, 1, 7, 1}, {}, "ab")));
  ASSERT_TRUE(writer.append(erase({1, 3, 7, 3}, {7, 1}, 2)));
  EXPECT_FALSE(writer.append({OpKind::purge, 1, {1, 5, 9, 1}, {}, {}}));
  ASSERT_TRUE(writer.append({OpKind::purge, 2, {1, 5, 9, 1}, {7, 1}, {}}));
  const std::string bytes = finished(writer);
  EXPECT_EQ(bytes.substr(0, bytes.size() - 8), std::string_view("WFTH\x01\x01\x02\x07\x09\x03"
                                                                "\x03\x00\x00\x01"
                                                                "\x03\x08\x09\x09"
                                                                "\x03\x00\x00\x01"
                                                                "\x04\x01\x00\x01\x02"
                                                                "\x02\x01\x03"
                                                                "\x02"
                                                                "ab",
                                                                33));
  const auto rows = read_history(bytes);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->back().kind, OpKind::purge);
  EXPECT_EQ(rows->back().len, 2u);
  EXPECT_EQ(rows->back().ref, (ElementId{7, 1}));
}

TEST(History, WhatCannotFollowIsRefusedAndChangesNothing) {
  HistoryWriter writer;
  ASSERT_TRUE(writer.append(insert({5, 1, 7, 1}, {}, "abc")));
  const Operation refused[] = {
      insert({6, 4, 7, 4}, {7, 3}, "x"),  // another epoch
      insert({5, 5, 7, 5}, {7, 3}, "x"),  // a gap
      insert({5, 3, 7, 3}, {7, 2}, "x"),  // known already
      insert({5, 5, 7, 4}, {7, 3}, "x"),  // counts more than there is
      insert({5, 3, 7, 4}, {7, 3}, "x"),  // knows less than its site knew
      insert({5, 4, 7, 4}, {7, 4}, "x"),  // refers to itself
      insert({5, 4, 8, 2}, {7, 3}, "x"),  // a site that does not begin at 1
      insert({5, 4, 8, 1}, {8, 1}, "x"),  // a new site that refers to itself
      insert({5, 4, 8, 1}, {9, 1}, "x"),  // an unknown site
      insert({5, 4, 7, 4}, {7, 0}, "x"),  // a seq that nothing has
      erase({5, 4, 7, 4}, {7, 2}, 3),     // the last target is unknown
      {OpKind::erase_back, 3, {5, 4, 7, 4}, {7, 2}, {}},
      {OpKind::erase, 1, {5, 4, 7, 4}, {}, {}},  // the head cannot be erased
  };
  for (const Operation& row : refused) EXPECT_FALSE(writer.append(row)) << row.id.seq;
  EXPECT_EQ(writer.rows(), 1u);
  EXPECT_TRUE(writer.append(erase({5, 4, 7, 4}, {7, 1}, 3)));
  const auto rows = read_history(finished(writer));
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows->size(), 2u);
}

TEST(History, AnyOtherByteAndAnyCutIsRefused) {
  HistoryWriter writer;
  writer.append(insert({1, 1, 7, 1}, {}, "text"));
  writer.append(erase({1, 5, 7, 5}, {7, 2}, 2));
  const std::string bytes = finished(writer);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto cut = read_history(std::string_view(bytes).substr(0, i));
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.error().code, "bad_history");
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_FALSE(read_history(changed).ok());
  }
  EXPECT_FALSE(read_history(bytes + '\0').ok());
}

TEST(History, AFinishedWriterBeginsAnew) {
  HistoryWriter writer;
  writer.append(insert({1, 1, 7, 1}, {}, "a"));
  const std::string once = finished(writer);
  EXPECT_EQ(writer.rows(), 0u);
  writer.append(insert({1, 1, 7, 1}, {}, "a"));
  EXPECT_EQ(finished(writer), once);
}

}  // namespace
}  // namespace weft::rga

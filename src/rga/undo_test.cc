#include "rga/undo.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weft::rga {
namespace {

class Undo : public ::testing::Test {
 protected:
  Undo() : history_(1), other_(1) {
    document_.set_local_site(1);
    other_.set_local_site(2);
  }

  void insert(std::uint32_t at, std::string_view text) {
    ASSERT_EQ(history_.insert(document_, {at}, text, &said_), EditOutcome::done);
  }
  void erase(std::uint32_t at, std::uint32_t count) {
    ASSERT_EQ(history_.erase(document_, {at}, count, &said_), EditOutcome::done);
  }
  UndoOutcome undo() { return history_.undo(document_, &said_); }
  UndoOutcome redo() { return history_.redo(document_, &said_); }

  /// Each replica hears of what the other did.
  void exchange() {
    Operation op;
    const std::string mine = said_.take();
    const std::string theirs = other_said_.take();
    for (OpReader reader(mine); reader.next(op);) {
      ASSERT_EQ(other_.apply(op), ApplyOutcome::applied);
    }
    for (OpReader reader(theirs); reader.next(op);) {
      ASSERT_EQ(document_.apply(op), ApplyOutcome::applied);
    }
    ASSERT_EQ(document_.state_hash(), other_.state_hash());
  }

  Document document_{1};
  UndoHistory history_;
  OpWriter said_;
  Document other_;
  OpWriter other_said_;
};

TEST_F(Undo, NothingToDo) {
  EXPECT_FALSE(history_.can_undo());
  EXPECT_FALSE(history_.can_redo());
  EXPECT_EQ(undo(), UndoOutcome::nothing);
  EXPECT_EQ(redo(), UndoOutcome::nothing);
  EXPECT_TRUE(said_.empty());
}

TEST_F(Undo, GroupsAsTheCallerCutsThem) {
  insert(0, "a");
  insert(1, "b");
  history_.cut();
  insert(2, "c");
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "ab");
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "");
  EXPECT_EQ(redo(), UndoOutcome::done);
  EXPECT_EQ(redo(), UndoOutcome::done);
  EXPECT_EQ(redo(), UndoOutcome::nothing);
  EXPECT_EQ(document_.text(), "abc");
}

TEST_F(Undo, AnEditForgetsRedo) {
  insert(0, "a");
  undo();
  insert(0, "b");
  EXPECT_FALSE(history_.can_redo());
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "");
}

TEST_F(Undo, ForwardDeletesComeBackInOrder) {
  insert(0, "abc");
  for (int i = 0; i < 3; ++i) {
    history_.cut();
    erase(0, 1);
  }
  for (const char* expected : {"c", "bc", "abc"}) {
    EXPECT_EQ(undo(), UndoOutcome::done);
    EXPECT_EQ(document_.text(), expected);
  }
}

TEST_F(Undo, TextBetweenTombstonesComesBackBetweenThem) {
  insert(0, "abc");
  history_.cut();
  insert(2, "x");
  history_.cut();
  undo();
  undo();
  EXPECT_EQ(document_.text(), "");
  redo();
  EXPECT_EQ(document_.text(), "abc");
  redo();
  EXPECT_EQ(document_.text(), "abxc");
}

TEST_F(Undo, WhatCameBackIsStillPartOfItsInsert) {
  insert(0, "abc");
  history_.cut();
  erase(1, 1);
  EXPECT_EQ(undo(), UndoOutcome::done);  // b is a new element now
  EXPECT_EQ(document_.text(), "abc");
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "");
}

TEST_F(Undo, KeepsWhatOthersTypedInBetween) {
  insert(0, "abcd");
  history_.cut();
  exchange();
  erase(1, 2);
  other_.insert({2}, "XY", &other_said_);
  exchange();
  EXPECT_EQ(document_.text(), "aXYd");
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "abXYcd");
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "XY");
  exchange();
}

TEST_F(Undo, PassesOverWhatOthersErased) {
  insert(0, "ab");
  history_.cut();
  insert(2, "cd");
  exchange();
  other_.erase({2}, 2, &other_said_);
  exchange();
  EXPECT_EQ(undo(), UndoOutcome::done);  // of cd nothing is left
  EXPECT_EQ(document_.text(), "");
  EXPECT_EQ(redo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "ab");
  EXPECT_EQ(redo(), UndoOutcome::nothing);
}

TEST_F(Undo, RestoresOthersTextAsOnesOwn) {
  other_.insert({0}, "theirs", &other_said_);
  exchange();
  erase(0, 6);
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "theirs");
  EXPECT_EQ(document_.id_at({0}).sid, 1u);
  exchange();
}

// The price of undo as ordinary operations, stated in undo.h.
TEST_F(Undo, TwoWhoBringTheSameTextBackGetItTwice) {
  insert(0, "ab");
  history_.cut();
  exchange();
  UndoHistory others_history(2);
  erase(0, 2);
  ASSERT_EQ(others_history.erase(other_, {0}, 2, &other_said_), EditOutcome::done);
  exchange();
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(others_history.undo(other_, &other_said_), UndoOutcome::done);
  exchange();
  EXPECT_EQ(document_.length(), 4u);
}

TEST_F(Undo, TellsTheEditor) {
  insert(0,
         "a\xf0\x9f\x98\x80"
         "b");
  history_.cut();
  erase(1, 1);
  PatchList patches(PatchList::Unit::utf16);
  ASSERT_EQ(history_.undo(document_, &said_, &patches), UndoOutcome::done);
  ASSERT_EQ(patches.patches.size(), 1u);
  EXPECT_EQ(patches.patches[0].at, 1u);
  EXPECT_EQ(patches.patches[0].erased, 0u);
  EXPECT_EQ(patches.patches[0].inserted, "\xf0\x9f\x98\x80");
  patches.patches.clear();
  ASSERT_EQ(history_.undo(document_, &said_, &patches), UndoOutcome::done);
  std::uint32_t erased = 0;
  for (const Patch& patch : patches.patches) erased += patch.erased;
  EXPECT_EQ(erased, 4u);
}

TEST_F(Undo, RecordsWhatWasEditedElsewhere) {
  OpWriter writer;
  document_.insert({0}, "hello", &writer);
  ASSERT_TRUE(history_.record(writer.bytes(), ""));
  history_.cut();
  writer.clear();
  document_.erase({1}, 3, &writer);
  ASSERT_TRUE(history_.record(writer.bytes(), "ell"));
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "hello");
  EXPECT_EQ(undo(), UndoOutcome::done);
  EXPECT_EQ(document_.text(), "");
}

TEST_F(Undo, RefusesRecordsThatDoNotFit) {
  OpWriter writer;
  document_.insert({0}, "hello", &writer);
  document_.erase({1}, 3, &writer);
  const std::string bytes(writer.bytes());
  EXPECT_FALSE(history_.record(bytes, "el"));
  EXPECT_FALSE(history_.record(bytes, "ello"));
  EXPECT_FALSE(history_.record(bytes, "e\xffl"));
  EXPECT_FALSE(history_.record(bytes.substr(0, bytes.size() - 1), "ell"));
  EXPECT_FALSE(UndoHistory(9).record(bytes, "ell"));
  EXPECT_FALSE(history_.can_undo());
  EXPECT_TRUE(history_.record(bytes, "ell"));
}

TEST_F(Undo, RefusedEditsAreNotRemembered) {
  EXPECT_EQ(history_.insert(document_, {1}, "a", &said_), EditOutcome::out_of_range);
  EXPECT_EQ(history_.erase(document_, {0}, 1, &said_), EditOutcome::out_of_range);
  EXPECT_EQ(history_.insert(document_, {0}, "", &said_), EditOutcome::done);
  EXPECT_FALSE(history_.can_undo());
  EXPECT_EQ(history_.memory_bytes(), 0u);
}

TEST_F(Undo, ForgetsTheOldestFirst) {
  UndoLimits limits;
  limits.max_groups = 2;
  UndoHistory history(1, limits);
  for (std::uint32_t i = 0; i < 4; ++i) {
    history.insert(document_, {i}, "x", nullptr);
    history.cut();
  }
  EXPECT_EQ(history.undo(document_, nullptr), UndoOutcome::done);
  EXPECT_EQ(history.undo(document_, nullptr), UndoOutcome::done);
  EXPECT_EQ(history.undo(document_, nullptr), UndoOutcome::nothing);
  EXPECT_EQ(document_.text(), "xx");
}

TEST_F(Undo, OneLargeGroupStays) {
  UndoLimits limits;
  limits.max_bytes = 1000;
  UndoHistory history(1, limits);
  history.insert(document_, {0}, "small", nullptr);
  history.cut();
  const std::string large(5000, 'x');
  history.insert(document_, {0}, large, nullptr);
  history.cut();
  history.erase(document_, {0}, 5000, nullptr);
  EXPECT_EQ(history.undo(document_, nullptr), UndoOutcome::done);
  EXPECT_EQ(document_.text(), large + "small");
  EXPECT_EQ(history.undo(document_, nullptr), UndoOutcome::nothing);
}

}  // namespace
}  // namespace weft::rga

// Undo and redo of one user, alone and among others.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rga/undo.h"
#include "tests/property/compare.h"
#include "tests/property/dice.h"
#include "tests/property/mirror.h"
#include "tests/property/seeds.h"

namespace weft::rga::property {
namespace {

/// One user: a document, the history of the own edits, an editor that follows patches, and a
/// witness that applies every operation that was said.
template <class Shape>
class User {
 public:
  User(std::uint64_t sid, Dice& dice, const UndoLimits& limits = {})
      : sid_(sid),
        dice_(dice),
        history_(sid, limits),
        mirror_(dice.chance(50) ? PatchList::Unit::scalars : PatchList::Unit::utf16) {
    document_.set_local_site(sid);
  }

  BasicDocument<Shape>& document() { return document_; }
  BasicUndoHistory<Shape>& history() { return history_; }
  const NaiveRga& judge() const { return judge_; }
  std::u32string text() const { return judge_.text(); }
  const std::string& problem() const { return problem_; }
  /// Operations said and not yet taken by somebody else.
  std::vector<std::string> take() { return std::exchange(said_, {}); }

  /// A random edit, through the history or told to it afterwards.
  void edit(std::uint32_t astral_percent) {
    OpWriter writer;
    const auto length = static_cast<std::uint32_t>(text().size());
    const std::uint32_t what = dice_.below(10);
    // Backspacing and deleting forwards at one place, typing on, and anything anywhere.
    if (dice_.chance(50)) last_at_ = dice_.below(length + 1);
    last_at_ = std::min(last_at_, length);
    if (what < 4 && length > 0) {
      std::uint32_t count = dice_.chance(60) ? 1 : dice_.between(1, 6);
      if (dice_.chance(50) && last_at_ >= count) last_at_ -= count;
      last_at_ = std::min(last_at_, length - 1);
      count = std::min(count, length - last_at_);
      const std::string gone = document_.text({last_at_}, count);
      if (dice_.chance(70)) {
        expect(history_.erase(document_, {last_at_}, count, &writer) == EditOutcome::done, "erase");
      } else {
        document_.erase({last_at_}, count, &writer);
        expect(history_.record(writer.bytes(), gone), "record an erase");
      }
    } else {
      const std::u32string added =
          dice_.text(dice_.chance(60) ? 1 : dice_.between(1, 8), astral_percent);
      if (dice_.chance(70)) {
        expect(history_.insert(document_, {last_at_}, encode_utf8(added), &writer) ==
                   EditOutcome::done,
               "insert");
      } else {
        document_.insert({last_at_}, encode_utf8(added), &writer);
        expect(history_.record(writer.bytes(), ""), "record an insert");
      }
      last_at_ += static_cast<std::uint32_t>(added.size());
    }
    said(writer);
    mirror_.set(text());
    check();
  }

  /// REQUIRES: there is text.
  void erase_some() {
    OpWriter writer;
    const auto length = static_cast<std::uint32_t>(text().size());
    const std::uint32_t at = dice_.below(length);
    const std::uint32_t count = dice_.between(1, std::min(length - at, 12u));
    expect(history_.erase(document_, {at}, count, &writer) == EditOutcome::done, "erase");
    said(writer);
    mirror_.set(text());
    check();
  }

  UndoOutcome undo() { return go(true); }
  UndoOutcome redo() { return go(false); }

  void hear(const std::string& bytes) {
    PatchList patches = mirror_.fresh_list();
    Operation op;
    for (OpReader reader(bytes); reader.next(op);) {
      expect(document_.apply(op, &patches) == ApplyOutcome::applied, "refused " + describe(op));
      judge_.apply(op);
    }
    const std::string what = mirror_.follow(patches);
    expect(what.empty(), what);
    check();
  }

  void check() {
    document_.check_invariants();
    const std::string what = difference(document_, judge_);
    expect(what.empty(), what);
    expect(mirror_.shows(text()), "the patches do not give the text");
  }

 private:
  UndoOutcome go(bool back) {
    OpWriter writer;
    PatchList patches = mirror_.fresh_list();
    const UndoOutcome outcome = back ? history_.undo(document_, &writer, &patches)
                                     : history_.redo(document_, &writer, &patches);
    expect((outcome == UndoOutcome::done) == !writer.empty(), "an undo says nothing, or too much");
    const std::string what = mirror_.follow(patches);
    expect(what.empty(), what);
    said(writer);
    check();
    return outcome;
  }

  void said(const OpWriter& writer) {
    Operation op;
    for (OpReader reader(writer.bytes()); reader.next(op);) {
      expect(op.id.sid == sid_, "an operation of another site");
      expect(judge_.judge(op) == ApplyOutcome::applied, "the judge refuses " + describe(op));
      expect(judge_.apply(op), "the judge has no place for " + describe(op));
    }
    if (!writer.empty()) said_.emplace_back(writer.bytes());
  }

  void expect(bool held, const std::string& what) {
    if (!held && problem_.empty()) problem_ = what;
  }

  std::uint64_t sid_;
  Dice& dice_;
  BasicDocument<Shape> document_{1};
  BasicUndoHistory<Shape> history_;
  NaiveRga judge_{1};
  Mirror mirror_;
  std::vector<std::string> said_;
  std::uint32_t last_at_ = 0;
  std::string problem_;
};

/// Alone, undo leads back through every text that there was at a group's end, and redo forward
/// again.
template <class Shape>
std::string walks_through_the_past(std::uint64_t seed) {
  Dice dice(seed);
  User<Shape> user(1, dice);
  const std::uint32_t astral = dice.chance(50) ? 0 : 20;
  std::vector<std::u32string> past{U""};
  std::size_t now = 0;  // in the past
  for (std::uint32_t step = dice.between(5, 60); step > 0 && user.problem().empty(); --step) {
    if (dice.chance(60)) {
      for (std::uint32_t n = dice.between(1, 5); n > 0; --n) user.edit(astral);
      user.history().cut();
      past.resize(now + 1);
      past.push_back(user.text());
      ++now;
      if (user.history().can_redo()) return "redo survives an edit";
      continue;
    }
    for (std::uint32_t n = dice.between(1, 6); n > 0; --n) {
      const bool back = dice.chance(55);
      if (user.history().can_undo() != (now > 0)) return "can_undo is wrong";
      if (user.history().can_redo() != (now + 1 < past.size())) return "can_redo is wrong";
      const bool possible = back ? now > 0 : now + 1 < past.size();
      const UndoOutcome outcome = back ? user.undo() : user.redo();
      if ((outcome == UndoOutcome::done) != possible) return "undone too much or too little";
      if (possible) now = back ? now - 1 : now + 1;
      if (user.text() != past[now]) {
        return "the text is '" + encode_utf8(user.text()) + "' and was '" + encode_utf8(past[now]) +
               "'";
      }
    }
  }
  while (user.undo() == UndoOutcome::done) {
  }
  if (!user.text().empty()) return "something is left when all is undone";
  return user.problem();
}

TEST(Undo, WalksThroughThePast) {
  for_each_seed(1500, {}, [](std::uint64_t seed) {
    return seed % 3 == 0 ? walks_through_the_past<DefaultShape>(seed)
                         : walks_through_the_past<TinyShape>(seed);
  });
}

std::set<ElementId> visible_of(const NaiveRga& judge, std::uint64_t sid, bool own) {
  std::set<ElementId> ids;
  for (const NaiveRga::Element& element : judge.elements()) {
    if (!element.tombstone && (element.id.sid == sid) == own) ids.insert(element.id.element());
  }
  return ids;
}

/// Among others: nobody else's text goes, undo then redo is the identity, everybody ends equal.
template <class Shape>
std::string respects_others(std::uint64_t seed) {
  Dice dice(seed);
  const std::uint32_t count = dice.between(2, 3);
  std::vector<User<Shape>> users;
  for (std::uint32_t i = 0; i < count; ++i) users.emplace_back(i * 5 + 3, dice);
  const auto exchange = [&] {
    std::vector<std::vector<std::string>> said;
    for (User<Shape>& user : users) said.push_back(user.take());
    for (std::uint32_t from = 0; from < count; ++from) {
      for (std::uint32_t to = 0; to < count; ++to) {
        if (from == to) continue;
        for (const std::string& bytes : said[from]) users[to].hear(bytes);
      }
    }
  };
  const auto problem = [&]() -> std::string {
    for (const User<Shape>& user : users) {
      if (!user.problem().empty()) return user.problem();
    }
    return "";
  };
  for (std::uint32_t step = dice.between(5, 60); step > 0 && problem().empty(); --step) {
    const std::uint32_t who = dice.below(count);
    const std::uint64_t sid = who * 5 + 3;
    User<Shape>& user = users[who];
    const std::uint32_t what = dice.below(10);
    if (what < 5) {
      user.edit(10);
      if (dice.chance(50)) user.history().cut();
    } else if (what < 8) {
      const std::set<ElementId> others = visible_of(user.judge(), sid, false);
      const bool back = dice.chance(60);
      const std::u32string before = user.text();
      const UndoOutcome outcome = back ? user.undo() : user.redo();
      if (visible_of(user.judge(), sid, false) != others) return "undo touched others' text";
      if (outcome == UndoOutcome::done && dice.chance(60)) {
        if ((back ? user.redo() : user.undo()) != UndoOutcome::done) return "there is no way back";
        if (user.text() != before) {
          return "undo and redo made '" + encode_utf8(user.text()) + "' of '" +
                 encode_utf8(before) + "'";
        }
      }
    } else {
      exchange();
    }
  }
  exchange();
  for (User<Shape>& user : users) {
    if (!problem().empty()) return problem();
    if (user.document().state_hash() != users[0].document().state_hash()) return "users differ";
  }
  return problem();
}

TEST(Undo, RespectsOthers) {
  for_each_seed(2500, {}, [](std::uint64_t seed) {
    return seed % 3 == 0 ? respects_others<DefaultShape>(seed) : respects_others<TinyShape>(seed);
  });
}

/// What one user erased comes back exactly where it was, whatever others have put in between.
template <class Shape>
std::string comes_back_where_it_was(std::uint64_t seed) {
  Dice dice(seed);
  User<Shape> user(dice.chance(50) ? 1 : 9, dice);
  User<Shape> other(5, dice);
  const auto exchange = [&] {
    const std::vector<std::string> said = user.take();
    for (const std::string& bytes : other.take()) user.hear(bytes);
    for (const std::string& bytes : said) other.hear(bytes);
  };
  for (std::uint32_t n = dice.between(1, 10); n > 0; --n) {
    user.edit(10);
    other.edit(10);
    if (dice.chance(50)) exchange();
  }
  exchange();
  user.history().cut();
  std::set<ElementId> gone;
  for (const NaiveRga::Element& element : user.judge().elements()) {
    if (!element.tombstone) gone.insert(element.id.element());
  }
  for (std::uint32_t n = dice.between(1, 4); n > 0 && !user.text().empty(); --n) user.erase_some();
  for (const NaiveRga::Element& element : user.judge().elements()) {
    if (!element.tombstone) gone.erase(element.id.element());
  }
  if (gone.empty()) return user.problem();
  for (std::uint32_t n = dice.between(1, 6); n > 0; --n) other.edit(10);
  exchange();
  const std::u32string without = user.text();
  std::u32string with;
  for (const NaiveRga::Element& element : user.judge().elements()) {
    if (!element.tombstone || gone.count(element.id.element()) > 0) with.push_back(element.scalar);
  }
  if (user.undo() != UndoOutcome::done) return "nothing was undone";
  if (user.text() != with) {
    return "'" + encode_utf8(user.text()) + "' came back, not '" + encode_utf8(with) + "'";
  }
  if (user.redo() != UndoOutcome::done || user.text() != without) return "redo differs";
  if (user.undo() != UndoOutcome::done || user.text() != with) return "the second undo differs";
  exchange();
  if (other.text() != with) return "the other user has another text";
  return user.problem() + other.problem();
}

TEST(Undo, ComesBackWhereItWas) {
  for_each_seed(1500, {}, [](std::uint64_t seed) {
    return seed % 3 == 0 ? comes_back_where_it_was<DefaultShape>(seed)
                         : comes_back_where_it_was<TinyShape>(seed);
  });
}

TEST(Undo, StaysWithinItsLimits) {
  for_each_seed(100, {}, [](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    UndoLimits limits;
    limits.max_groups = dice.between(1, 8);
    limits.max_bytes = dice.between(100, 2000);
    User<TinyShape> user(1, dice, limits);
    std::uint32_t edits = 0;
    for (std::uint32_t step = 0; step < 60 && user.problem().empty(); ++step) {
      if (dice.chance(70)) {
        user.edit(0);
        user.history().cut();
        ++edits;
      } else {
        dice.chance(60) ? user.undo() : user.redo();
      }
      // One group may be larger than the limit: the largest here is some steps of a few bytes each.
      if (user.history().memory_bytes() > limits.max_bytes + 2000) return "remembers too much";
    }
    std::uint32_t undone = 0;
    while (user.undo() == UndoOutcome::done) ++undone;
    if (undone > limits.max_groups) return "remembers too many groups";
    user.history().clear();
    if (user.history().memory_bytes() != 0 || user.history().can_undo() ||
        user.history().can_redo()) {
      return "clear() leaves something";
    }
    return user.problem();
  });
}

}  // namespace
}  // namespace weft::rga::property

// Long lives of documents of production's shape: 2 to 8 people edit at once, hear of each other
// late and in different orders, and some begin anew from a saved state. Ten million operations in
// all. What the structure must be is judged step by step by the naive twin in tests/property, on
// smaller documents; here everybody must stay equal, what is saved must load, and in the end every
// element must be where the tree of all operations has it. WEFT_SEED and WEFT_ROUNDS as there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "rga/document.h"
#include "tests/property/dice.h"
#include "tests/property/seeds.h"
#include "tests/soak/tree_twin.h"

namespace weft::rga {
namespace {

constexpr std::uint32_t worlds = 40;
constexpr std::uint64_t operations_of_each = 250'000;
static_assert(worlds * operations_of_each >= 10'000'000);

class World {
 public:
  explicit World(std::uint64_t seed) : dice_(seed) {
    const std::uint32_t people = 2 + dice_.below(7);
    people_.resize(people);
    for (std::uint32_t i = 0; i < people; ++i) people_[i].document.set_local_site(i + 1);
  }

  std::string run() {
    while (operations_ < operations_of_each && problem_.empty()) {
      for (Person& person : people_) edit(person);
      publish();
      for (Person& person : people_) {
        if (dice_.chance(60)) catch_up(person);
      }
      if (rounds_.size() >= 16) compare();
      if (dice_.chance(3)) reload(people_[dice_.below(static_cast<std::uint32_t>(people_.size()))]);
    }
    compare();
    for (const Person& person : people_) person.document.check_invariants();
    const Document& document = people_.front().document;
    if (problem_.empty()) problem_ = twin_.compare(document);
    characters_ = document.length();
    return problem_;
  }

  /// Made by somebody.
  std::uint64_t operations() const { return operations_; }
  /// Integrated by the others, each one's added up. An operation here may be a run of the above.
  std::uint64_t integrated() const { return integrated_; }
  /// Of the text in the end.
  std::uint32_t characters() const { return characters_; }

 private:
  struct Person {
    Document document;
    OpWriter out;
    std::size_t rounds = 0;  // that it has heard of
    std::uint32_t caret = 0;
  };
  /// What everybody said in one round. Nobody knew of the others' part of it.
  using Round = std::vector<std::string>;

  void edit(Person& person) {
    for (std::uint32_t n = dice_.below(200); n > 0; --n) {
      const std::uint32_t length = person.document.length();
      if (person.caret > length || dice_.chance(4)) person.caret = dice_.below(length + 1);
      const std::uint32_t what = dice_.below(100);
      if (what < 20 && person.caret > 0) {
        --person.caret;
        check(person.document.erase({person.caret}, 1, &person.out));
      } else if (what < 21 && person.caret < length) {
        const std::uint32_t most = std::min(length - person.caret, 1 + dice_.below(40));
        check(person.document.erase({person.caret}, most, &person.out));
      } else if (what < 23 && person.caret < length) {
        check(person.document.update({person.caret}, "u", &person.out));
      } else {
        static constexpr std::string_view pieces[] = {"a",
                                                      "b",
                                                      "e",
                                                      "\n",
                                                      "\xc3\xa9",
                                                      "\xe6\xbc\xa2",
                                                      "\xf0\x9f\x8e\x88",
                                                      "a longer piece of text"};
        const std::uint32_t piece = dice_.below(what < 95 ? 4 : 8);
        check(person.document.insert({person.caret}, pieces[piece], &person.out));
        person.caret += piece < 7 ? 1 : static_cast<std::uint32_t>(pieces[piece].size());
      }
      ++operations_;
    }
  }

  void publish() {
    Round round;
    for (Person& person : people_) {
      round.push_back(person.out.take());
      if (!twin_.add(round.back())) blame("an operation cannot be read");
    }
    rounds_.push_back(std::move(round));
  }

  void catch_up(Person& person) {
    const auto self = static_cast<std::size_t>(&person - people_.data());
    for (; person.rounds < rounds_.size(); ++person.rounds) {
      const Round& round = rounds_[person.rounds];
      std::vector<std::size_t> order(round.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[dice_.below(static_cast<std::uint32_t>(i))]);
      }
      for (const std::size_t author : order) {
        if (author != self) apply(person, round[author]);
      }
    }
  }

  void apply(Person& person, std::string_view stream) {
    const bool wants_patches = dice_.chance(50);
    const std::uint32_t before = person.document.length();
    PatchList patches;
    OpReader reader(stream);
    const StreamOutcome outcome = person.document.apply(reader, wants_patches ? &patches : nullptr);
    integrated_ += outcome.operations;
    if (outcome.outcome != ApplyOutcome::applied) blame("an operation was refused");
    std::int64_t length = before;
    for (const Patch& patch : patches.patches) {
      length += static_cast<std::int64_t>(*count_scalars(patch.inserted)) - patch.erased;
    }
    if (wants_patches && length != person.document.length()) blame("patches do not add up");
  }

  /// Everybody hears of everything.
  void compare() {
    for (Person& person : people_) catch_up(person);
    const Document& first = people_.front().document;
    const std::uint64_t hash = first.state_hash();
    for (const Person& person : people_) {
      if (person.document.state_hash() != hash) blame("replicas differ");
      if (person.document.sum() != first.sum()) blame("version vectors differ");
    }
    rounds_.clear();
    for (Person& person : people_) person.rounds = 0;
  }

  void reload(Person& person) {
    std::string bytes;
    person.document.save(bytes);
    const auto site = static_cast<std::uint64_t>(&person - people_.data()) + 1;
    auto loaded = Document::load(bytes);
    if (!loaded.ok()) {
      blame("what was saved does not load");
      return;
    }
    person.document = std::move(loaded).value();
    person.document.set_local_site(site);
  }

  /// The first one is the one to look at.
  void blame(const char* problem) {
    if (problem_.empty()) problem_ = problem;
  }

  void check(EditOutcome outcome) {
    if (outcome != EditOutcome::done) blame("an edit was refused");
  }

  property::Dice dice_;
  std::vector<Person> people_;
  std::vector<Round> rounds_;
  property::TreeTwin twin_;
  std::uint64_t operations_ = 0;
  std::uint64_t integrated_ = 0;
  std::uint32_t characters_ = 0;
  std::string problem_;
};

TEST(Soak, TenMillionOperationsAndEverybodyIsEqual) {
  std::uint64_t lived = 0;
  std::uint64_t operations = 0;
  std::uint64_t integrated = 0;
  std::uint64_t characters = 0;
  property::for_each_seed(worlds, {}, [&](std::uint64_t seed) {
    World world(seed);
    std::string problem = world.run();
    ++lived;
    operations += world.operations();
    characters += world.characters();
    integrated += world.integrated();
    return problem;
  });
  EXPECT_GE(operations, lived * operations_of_each);
  EXPECT_GE(integrated, operations / 2) << "everybody's operations reach somebody";
  EXPECT_GE(characters, lived * 50'000) << "the documents are long";
  std::printf(
      "%llu worlds: %llu operations made, %llu integrated by others, %llu characters left\n",
      static_cast<unsigned long long>(lived), static_cast<unsigned long long>(operations),
      static_cast<unsigned long long>(integrated), static_cast<unsigned long long>(characters));
}

}  // namespace
}  // namespace weft::rga

// Long lives of documents of production's shape: 2 to 8 people edit at once, hear of each other
// late and in different orders, and some begin anew from a saved state. Ten million operations in
// all. What the structure must be is judged by the naive twin in tests/property, on smaller
// documents; here everybody must stay equal, and what is saved must load. WEFT_SEED and WEFT_ROUNDS
// as there.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "rga/document.h"
#include "tests/property/dice.h"
#include "tests/property/seeds.h"

namespace weft::rga {
namespace {

constexpr std::uint32_t worlds = 40;
constexpr std::uint64_t operations_of_each = 250'000;

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
    return problem_;
  }

  std::uint64_t operations() const { return operations_; }

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
      } else if (what < 26 && person.caret < length) {
        const std::uint32_t most = std::min(length - person.caret, 1 + dice_.below(40));
        check(person.document.erase({person.caret}, most, &person.out));
      } else if (what < 28 && person.caret < length) {
        check(person.document.update({person.caret}, "u", &person.out));
      } else {
        static constexpr std::string_view pieces[] = {
            "a", "b", "e", "\n", "\xc3\xa9", "\xf0\x9f\x8e\x88", "a longer piece of text"};
        const std::uint32_t piece = dice_.below(what < 95 ? 4 : 7);
        check(person.document.insert({person.caret}, pieces[piece], &person.out));
        person.caret += piece < 6 ? 1 : static_cast<std::uint32_t>(pieces[piece].size());
      }
      ++operations_;
    }
  }

  void publish() {
    Round round;
    for (Person& person : people_) round.push_back(person.out.take());
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
    if (outcome.outcome != ApplyOutcome::applied) problem_ = "an operation was refused";
    std::int64_t length = before;
    for (const Patch& patch : patches.patches) {
      length += static_cast<std::int64_t>(*count_scalars(patch.inserted)) - patch.erased;
    }
    if (wants_patches && length != person.document.length()) problem_ = "patches do not add up";
  }

  /// Everybody hears of everything.
  void compare() {
    for (Person& person : people_) catch_up(person);
    const Document& first = people_.front().document;
    const std::uint64_t hash = first.state_hash();
    for (const Person& person : people_) {
      if (person.document.state_hash() != hash) problem_ = "replicas differ";
      if (person.document.sum() != first.sum()) problem_ = "version vectors differ";
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
      problem_ = "what was saved does not load";
      return;
    }
    person.document = std::move(loaded).value();
    person.document.set_local_site(site);
  }

  void check(EditOutcome outcome) {
    if (outcome != EditOutcome::done) problem_ = "an edit was refused";
  }

  property::Dice dice_;
  std::vector<Person> people_;
  std::vector<Round> rounds_;
  std::uint64_t operations_ = 0;
  std::string problem_;
};

TEST(Soak, TenMillionOperationsAndEverybodyIsEqual) {
  std::uint64_t operations = 0;
  property::for_each_seed(worlds, {}, [&](std::uint64_t seed) {
    World world(seed);
    std::string problem = world.run();
    operations += world.operations();
    return problem;
  });
  RecordProperty("operations", std::to_string(operations));
}

}  // namespace
}  // namespace weft::rga

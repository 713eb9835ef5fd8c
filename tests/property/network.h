// Network: several replicas of one document, in one random plan that follows from a seed. They edit
// at random, typing, erasing key by key or hot places; they hear of each other in random causal
// order, each in its own style: rows as made, element by element, merged into long runs, with a
// part of them twice, or as streams of bytes; they are saved and loaded in between. A naive twin
// and an editor's mirror stand beside each one. Every promise of the core is checked after every
// step.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "rga/document.h"
#include "tests/property/dice.h"
#include "tests/property/mirror.h"
#include "tests/property/naive_rga.h"

namespace weft::rga::property {

template <class Shape>
class Network {
 public:
  explicit Network(std::uint64_t seed, Mutant judge = Mutant::none);

  /// Runs the plan. Empty: everything held; otherwise the first thing that did not.
  std::string run();

  std::uint64_t elements_applied() const { return elements_applied_; }

 private:
  /// One operation and what its author knew when making it.
  struct Entry {
    Operation op;
    std::string text;
    std::vector<std::uint64_t> known;  // per replica, the seq known

    Operation operation() const {
      Operation copy = op;
      copy.text = text;
      return copy;
    }
  };
  enum class Style : std::uint8_t { as_made, by_element, merged, overlapping, streamed };

  struct Replica {
    std::uint64_t sid;
    BasicDocument<Shape> document;
    NaiveRga judge;
    Mirror mirror;
    Style style;
    std::deque<Entry> log;           // its own operations
    std::vector<std::size_t> heard;  // per replica, entries of its log that are known here
    std::uint32_t last_at = 0;
  };

  /// What people do: where and how. Drawn once per plan.
  struct Habits {
    std::uint32_t steps;
    std::uint32_t erase_percent;
    std::uint32_t update_percent;
    std::uint32_t astral_percent;
    std::uint32_t longest_insert;
    std::uint32_t deliver_percent;
    std::uint32_t reload_percent;
    std::uint32_t purge_percent;
    std::uint32_t place;  // 0 anywhere, 1 near the start, 2 where the last edit was
  };

  void fail(const std::string& what);
  bool failed() const { return !problem_.empty(); }

  void edit(Replica& replica);
  std::uint32_t choose_place(const Replica& replica, std::uint32_t length);
  void edit_once(Replica& replica, std::uint32_t action, std::uint32_t at);
  void take_operations(Replica& replica, OpWriter& writer);

  bool ready(const Replica& replica, const Entry& entry) const;
  bool deliver_some(Replica& replica);
  void deliver(Replica& replica, std::size_t author);
  void deliver_too_early(Replica& replica);
  void hand_over(Replica& replica, const Operation& op);
  void stream(Replica& replica, std::size_t author);
  void hand_over_stream(Replica& replica, std::string_view bytes);
  void reload(Replica& replica);
  void purge_some(Replica& replica);
  void hear_everything();
  void check(Replica& replica);
  void settle_everybody();

  Dice dice_;
  Mutant mutant_;
  Habits habits_{};
  std::uint64_t ssn_ = 1;
  std::vector<Replica> replicas_;
  std::string problem_;
  std::uint64_t elements_applied_ = 0;
  std::uint32_t step_ = 0;
};

extern template class Network<DefaultShape>;
extern template class Network<TinyShape>;

}  // namespace weft::rga::property

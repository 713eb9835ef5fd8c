// NaiveRga: the replicated growable array as the paper describes it, one node for each element and
// linear search everywhere. It judges src/rga, with which it shares the structs of ids.h and
// operation.h and no code. It can also be made wrong on purpose: the property tests must then fail,
// or they would prove nothing.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rga/ids.h"
#include "rga/operation.h"

namespace weft::rga::property {

/// One deliberately wrong rule.
enum class Mutant {
  none,
  smaller_sid_wins,        // ties are broken the other way
  sum_is_own_counter,      // the order looks at seq in place of sum
  no_skipping,             // a remote insert goes directly to the right of its reference
  stops_at_tombstones,     // the skip rule does not step over deleted elements
  run_hangs_on_first_ref,  // every element of a run refers to the run's reference
  back_is_forward,         // erase_back deletes upwards
  later_arrival_wins,      // updates overwrite each other in order of arrival
  update_revives,          // an update brings a deleted element back
  erase_uncounted,         // deletions do not count in the sum
  purge_leaves_it,         // a purged element stays in the sequence
  child_check_off,         // an element may be older than what it refers to
  past_check_off,          // a sum may count what is not here
  reuse_check_off,         // a known id may come again with other content
};

/// Its name, fit for a test's.
const char* to_string(Mutant mutant);

class NaiveRga {
 public:
  struct Element {
    S4Vector id;
    char32_t scalar = 0;
    bool tombstone = false;
    bool updated = false;
    S4Vector last_update{};
  };

  explicit NaiveRga(std::uint64_t ssn, Mutant mutant = Mutant::none) : ssn_(ssn), mutant_(mutant) {}

  /// What a document must answer to `op`.
  ApplyOutcome judge(const Operation& op) const;
  /// Applies the part of `op` that is not known yet. False when a reference is missing, which
  /// judge() would have said before.
  bool apply(const Operation& op);

  std::uint64_t sum() const { return sum_; }
  std::uint64_t purged_count() const { return purged_; }
  std::uint64_t seq_of(std::uint64_t sid) const;
  /// In document order, tombstones included.
  const std::vector<Element>& elements() const { return elements_; }
  std::u32string text() const;
  /// Null when it was never inserted, or was purged.
  const Element* find(ElementId id) const;
  /// Visible elements to the left of the element. REQUIRES: it was inserted.
  std::uint32_t visible_before(ElementId id) const;

 private:
  struct Site {
    std::uint64_t seq = 0;
    std::uint64_t last_sum = 0;
  };

  bool less(const S4Vector& a, const S4Vector& b) const;
  std::size_t index_of(ElementId id) const;
  ElementId target(const Operation& op, std::uint32_t i) const;
  bool may_be_purged(ElementId id) const;
  bool says_the_same(const Operation& op, std::uint32_t known) const;
  bool apply_element(const Operation& op, std::uint32_t i, char32_t scalar);
  bool insert(ElementId ref, const S4Vector& id, char32_t scalar);

  std::uint64_t ssn_;
  Mutant mutant_;
  std::uint64_t sum_ = 0;
  std::uint64_t purged_ = 0;
  std::map<std::uint64_t, Site> sites_;
  std::vector<Element> elements_;
};

}  // namespace weft::rga::property

// Star: a server with one log and some clients that type, erase, push and hear at random, in one
// plan that follows from a seed, while tombstones are purged. Each replica is a plain list with the
// log indexes of every insert and erase, so that any of the purge's four conditions (docs/RGA.md)
// can be dropped: the plans must then find replicas that differ or references that are lost. With
// all four, real documents run beside the lists.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collab/purge_planner.h"
#include "rga/document.h"
#include "tests/property/dice.h"

namespace weft::rga::purge {

/// Which conditions are kept.
struct Rules {
  bool erase_known = true;  // A: the erase stands at or before the horizon
  bool next_known = true;   // B: and so does the insert of the next element that remains
  bool own_pending =
      true;  // C: a client's operations that are not in the log hold the horizon back
  bool in_log_order = true;   // D: purged when the log says so, and not at once
  std::uint64_t too_far = 0;  // the horizon is this much too high
};

struct Report {
  std::string problem;       // empty: all is well
  std::uint64_t purged = 0;  // by the server
};

class Star {
 public:
  Star(std::uint64_t seed, const Rules& rules);

  Report run();

 private:
  static constexpr std::uint64_t never = ~std::uint64_t{0};  // not in the log yet

  struct Element {
    S4Vector id;
    bool tombstone = false;
    std::uint64_t inserted = never;
    std::uint64_t erased = never;
  };
  struct Entry {  // a row of the log
    std::size_t author;
    Operation op;
    std::string text;
  };
  struct Pending {
    Entry entry;
    std::uint64_t base;
  };
  struct Replica {
    std::uint64_t sid = 0;
    std::vector<Element> list;
    std::uint64_t applied = 0;
    std::uint64_t sum = 0;
    std::uint64_t seq = 0;
    std::deque<Pending> pending;
    std::uint64_t acknowledged = 0;
    std::unique_ptr<BasicDocument<TinyShape>> document;  // if all rules are kept
  };

  bool all_kept() const {
    return rules_.erase_known && rules_.next_known && rules_.own_pending && rules_.in_log_order &&
           rules_.too_far == 0;
  }
  void fail(const std::string& what);
  bool failed() const { return !report_.problem.empty(); }

  void edit(std::size_t client);
  void push(std::size_t client, std::size_t count);
  void hear(std::size_t client, std::uint64_t up_to);
  void purge();
  void log_purge(std::uint64_t horizon);

  /// A row by somebody else, or the client's own when it is made.
  void integrate(Replica& replica, const Operation& op, std::uint64_t index);
  /// The client's own row has come back: its index is known.
  static void stamp(Replica& replica, const Operation& op, std::uint64_t index);
  std::vector<ElementId> targets(const Replica& replica, std::uint64_t horizon) const;
  static std::size_t find(const Replica& replica, ElementId id);
  void compare();
  BasicDocument<TinyShape> replay(std::uint64_t up_to) const;

  property::Dice dice_;
  Rules rules_;
  Replica server_;
  std::vector<Replica> clients_;
  std::vector<Entry> log_;
  std::uint64_t horizon_ = 0;
  Report report_;
};

}  // namespace weft::rga::purge

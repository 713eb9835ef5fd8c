// PresenceBoard: who is here and where their cursors are. One bounded entry per session, the latest
// wins, and it goes with its session. Changes are collected and told together. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "wire/messages.h"

namespace weft::collab {

class PresenceBoard {
 public:
  void set(std::uint64_t session, std::uint64_t sid, const wire::Presence& presence);
  void remove(std::uint64_t session);

  bool has_changes() const { return !changed_.empty(); }
  /// The `peers` message with everything that changed since clear_changes(), as `receiver` should
  /// see it; nothing when only its own state changed. 0 as receiver: nobody in particular.
  std::optional<std::string> changes_for(std::uint64_t receiver) const;
  bool changed(std::uint64_t session) const { return changed_.contains(session); }
  void clear_changes() { changed_.clear(); }
  /// What a session has said last. Borrows the name from the board.
  wire::Peer describe(std::uint64_t session) const;
  /// Everybody who is present, for one who has just come.
  std::optional<std::string> all_for(std::uint64_t receiver) const;

 private:
  struct Entry {
    std::uint64_t sid = 0;
    std::string name;
    std::uint32_t colour = 0;
    std::vector<wire::Selection> selections;
  };

  std::map<std::uint64_t, Entry> entries_;
  std::set<std::uint64_t> changed_;
};

}  // namespace weft::collab

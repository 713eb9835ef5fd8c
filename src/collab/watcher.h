// What somebody who only looks on is told about an open document: that its log has grown, who is
// there, and its end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace weft::collab {

/// A session as others see it. Positions count scalar values.
struct PresentPeer {
  struct Selection {
    std::uint32_t anchor = 0;
    std::uint32_t head = 0;
  };
  std::uint64_t session = 0;
  std::uint64_t sid = 0;
  std::string user;  // who it is, where there are keys
  std::string name;  // empty until it has said who it is
  std::uint32_t colour = 0;
  std::vector<Selection> selections;
};

struct PresenceAnswer {
  std::uint64_t index = 0;         // of the log, which the positions are of
  std::vector<PresentPeer> peers;  // by session
};

/// Called on the document's loop. The document holds on to it weakly: who goes needs not say so.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// Every row up to `index` can be read. First when it begins to watch.
  virtual void on_durable(std::uint64_t index) = 0;
  /// The latest of several may come alone. First when it begins to watch.
  virtual void on_presence(const PresenceAnswer& presence) = 0;
  /// Somebody may do less, or more, than before: perhaps who watches.
  virtual void on_access_changed() = 0;
  /// The last call. Gone: it was deleted; otherwise it is closed and may be watched again.
  virtual void on_end(const Error& why) = 0;
};

}  // namespace weft::collab

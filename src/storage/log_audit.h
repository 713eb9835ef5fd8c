// LogAudit: judges the rows of one document's log in their order, with the same rules by which the
// server accepted them, and replays them. For fsck, export and import: whoever takes a log from
// somewhere asks here whether it is one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "collab/causal_window.h"
#include "collab/ports.h"
#include "rga/document.h"

namespace weft::storage {

class LogAudit {
 public:
  explicit LogAudit(std::uint64_t ssn);

  /// Takes the next row. Nothing when it is right; otherwise what is wrong, for a person. After a
  /// wrong row there is no state to judge the later ones by: is_whole() stays false and they are
  /// looked at no more. O(log n).
  std::optional<std::string> add(const collab::LogRow& row);
  /// A row is missing or unreadable here.
  void lose() { whole_ = false; }

  bool is_whole() const { return whole_; }
  std::uint64_t last_index() const { return window_.last_index(); }
  std::int64_t last_timestamp_us() const { return last_timestamp_us_; }
  std::uint64_t greatest_sid() const { return greatest_sid_; }
  /// The state after the last right row.
  const rga::Document& document() const { return document_; }

 private:
  std::optional<std::string> judge(const collab::LogRow& row) const;
  bool reachable(const collab::LogRow& row, rga::ElementId first, std::uint32_t count) const;

  rga::Document document_;
  collab::CausalWindow window_;
  bool whole_ = true;
  std::int64_t last_timestamp_us_ = 0;
  std::uint64_t greatest_sid_ = 0;
};

}  // namespace weft::storage

// CausalWindow: what the log up to a recent index contains. The author of a push knew the log up to
// its `base` and its own earlier operations; from that follow the only legal sum and the elements
// it may refer to. Pure; the document actor appends every durable row. Older indexes are asked from
// the journal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "rga/version_vector.h"

namespace weft::collab {

/// What the log up to one index contains.
class CausalCut {
 public:
  virtual ~CausalCut() = default;
  /// Elements of all operations.
  virtual std::uint64_t sum() const = 0;
  virtual std::uint64_t seq_of(std::uint64_t sid) const = 0;
};

/// A cut as the journal tells it.
class VersionCut final : public CausalCut {
 public:
  explicit VersionCut(rga::VersionVector version) : version_(std::move(version)) {}
  std::uint64_t sum() const override { return version_.sum(); }
  std::uint64_t seq_of(std::uint64_t sid) const override { return version_.seq_of(sid); }

 private:
  rga::VersionVector version_;
};

class CausalWindow {
 public:
  /// Nothing but the state at `index` is known. Remembers at least `max_rows` rows from then on.
  CausalWindow(std::uint64_t index, const rga::VersionVector& version, std::size_t max_rows);

  /// The next row of the log: `len` operations of `sid` up to `last_seq`. O(1) amortised.
  void append(std::uint64_t sid, std::uint64_t last_seq, std::uint32_t len);

  std::uint64_t first_index() const { return first_index_; }
  std::uint64_t last_index() const { return first_index_ + rows_.size(); }
  bool covers(std::uint64_t index) const { return index >= first_index_ && index <= last_index(); }

  /// REQUIRES: covers(index). O(1) and O(log rows of the site).
  std::uint64_t sum_at(std::uint64_t index) const;
  std::uint64_t seq_at(std::uint64_t index, std::uint64_t sid) const;

 private:
  struct Row {
    std::uint64_t sid;
    std::uint64_t last_seq;
    std::uint64_t sum;  // after the row
  };
  struct SiteRow {
    std::uint64_t index;
    std::uint64_t last_seq;
  };
  struct Site {
    std::uint64_t seq_at_first = 0;
    std::deque<SiteRow> rows;
  };

  void forget_oldest();

  std::size_t max_rows_;
  std::uint64_t first_index_;
  std::uint64_t sum_at_first_;
  std::deque<Row> rows_;
  std::unordered_map<std::uint64_t, Site> sites_;
};

/// A cut of a window. Borrows it.
class WindowCut final : public CausalCut {
 public:
  WindowCut(const CausalWindow& window, std::uint64_t index) : window_(window), index_(index) {}
  std::uint64_t sum() const override { return window_.sum_at(index_); }
  std::uint64_t seq_of(std::uint64_t sid) const override { return window_.seq_at(index_, sid); }

 private:
  const CausalWindow& window_;
  std::uint64_t index_;
};

}  // namespace weft::collab

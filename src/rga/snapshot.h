// The bytes of a saved state: columns of varints, the visible text, and a checksum.
// docs/PROTOCOL.md describes them. Also the state hash, which covers the same runs. Only Document
// uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rga/document.h"
#include "rga/run_table.h"

namespace weft::rga {

/// A snapshot taken apart and checked: every range, every count, no id twice, no sum out of order.
struct Snapshot {
  struct Site {
    std::uint64_t sid;
    std::uint64_t seq;
    std::uint64_t last_sum;
  };
  struct RunEntry {
    std::uint32_t site;  // index into sites
    std::uint32_t len;
    std::uint64_t seq;
    std::uint64_t sum;
    bool tombstone;
  };
  struct Update {
    ElementId element;
    Key key;
  };

  std::uint64_t ssn = 0;
  std::uint64_t purged = 0;          // elements that are no more
  std::vector<Site> sites;           // ascending by sid
  std::vector<RunEntry> runs;        // maximal, in document order
  std::uint32_t visible_runs = 0;    // of them
  std::uint32_t visible = 0;         // elements of those
  std::vector<std::uint32_t> by_id;  // indexes of runs, ordered by (site, seq)
  std::vector<Update> updates;
  std::string_view text;  // of the visible runs, valid UTF-8 of exactly their length
  bool ascii = true;
  std::unique_ptr<char[]> unpacked;  // what `text` points into, if it was packed
};

/// Error class corrupt, code "bad_snapshot". The text may point into `bytes`. O(n).
Result<Snapshot> parse_snapshot(std::string_view bytes);

class SnapshotWriter {
 public:
  SnapshotWriter(std::uint64_t ssn, std::uint64_t purged, const RunTable& runs);

  /// Maximal runs in document order.
  void add(const RunView& run);
  void add_update(ElementId element, const Key& key);
  /// Appends the snapshot.
  void finish(std::string& out);

 private:
  /// (value, how often) pairs.
  struct RunLengths {
    std::string bytes;
    std::uint64_t value = 0;
    std::uint64_t count = 0;
    void add(std::uint64_t v);
    void close();
  };

  std::uint32_t site_index(std::uint64_t sid);

  std::uint64_t ssn_;
  std::uint64_t purged_;
  std::vector<Snapshot::Site> sites_;
  std::uint32_t last_site_ = 0;
  std::uint64_t run_count_ = 0;
  std::uint64_t update_count_ = 0;
  std::uint64_t next_seq_ = 0;  // the seq that would follow the last run
  RunLengths site_column_;
  std::string len_column_;
  std::string seq_column_;
  RunLengths lag_column_;  // sum - seq, as the difference to the run before
  std::uint64_t last_lag_ = 0;
  std::string update_column_;
  std::string text_;
};

/// Accumulates the bytes that the state hash is defined over (docs/PROTOCOL.md).
class StateHash {
 public:
  void add(const RunView& run);
  std::uint64_t value() const;

 private:
  std::string bytes_;
};

}  // namespace weft::rga

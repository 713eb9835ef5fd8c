// The floor under a replay's figures: what the same edits cost with no CRDT at all. A gap buffer
// follows each edit and writes it as a message; another one reads the messages. Nothing merges,
// nothing has an identity: no replica that can be edited offline is cheaper.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::app {

/// What one person does to a text, on that text: positions count scalar values.
struct FlatEdit {
  std::uint32_t at = 0;
  std::uint32_t erased = 0;
  std::uint32_t inserted = 0;  // scalar values
  std::uint32_t text_bytes = 0;
  std::size_t text_offset = 0;
};

/// A history as one line of edits.
struct FlatHistory {
  std::vector<FlatEdit> edits;
  std::string text;  // what the edits insert, in UTF-8

  void add(std::uint32_t at, std::uint32_t erased, std::string_view inserted);
};

/// Applies every edit to a gap buffer and writes a message for each. The final text goes to `end`.
std::string write_floor(const FlatHistory& history, std::string& end, double& ms);

/// Reads the messages onto a gap buffer. False when they are not such messages.
bool read_floor(std::string_view messages, std::string& end, double& ms);

}  // namespace weft::app

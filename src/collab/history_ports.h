// What looking back needs from the log, beside Journal: who wrote when, and versions with names.
// Storage implements it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collab/ports.h"

namespace weft::collab {

/// A log row without its text.
struct RowInfo {
  std::uint64_t index = 0;
  std::int64_t timestamp_us = 0;
  std::uint64_t sid = 0;
  rga::OpKind kind = rga::OpKind::insert;
  std::uint32_t len = 0;
};

/// A row that gave the elements (first.sid, first.seq) … (first.sid, first.seq + len - 1) their
/// characters: an insert, whose own elements they are, or an update of others.
struct WritingInfo {
  rga::ElementId first;
  std::uint32_t len = 0;
  rga::S4Vector id;  // of the operation
  std::uint64_t index = 0;
  std::int64_t timestamp_us = 0;

  bool is_update() const { return first != id.element(); }
};

/// One line of 1 to 100 bytes.
bool is_version_name(std::string_view name);

struct NamedVersion {
  std::string name;
  std::uint64_t index = 0;
  std::int64_t created_us = 0;

  bool operator==(const NamedVersion&) const = default;
};

/// Errors of all: not_found and gone as Catalog::get; corrupt "damaged_log"; unavailable.
class History {
 public:
  virtual ~History() = default;

  /// Rows with an index below `before`, newest first, at most `max_rows`.
  virtual void row_infos(const DocumentId& document, std::uint64_t before, std::size_t max_rows,
                         Executor& on, Done<std::vector<RowInfo>> done) = 0;
  /// Rows with after < index <= last that inserted or updated something, ascending.
  /// O(last - after), and nobody else reads meanwhile: ask for a page at a time (collect_writings
  /// in history.h).
  virtual void writing_infos(const DocumentId& document, std::uint64_t after, std::uint64_t last,
                             Executor& on, Done<std::vector<WritingInfo>> done) = 0;

  /// Gives `index` a name. Naming the same index so again is a success; conflict, code
  /// "version_exists", when the name means another one; too_large, code "too_many_versions".
  /// Durable before the answer.
  virtual void name_version(const DocumentId& document, std::string name, std::uint64_t index,
                            Executor& on, Done<NamedVersion> done) = 0;
  /// By index, then name.
  virtual void list_versions(const DocumentId& document, Executor& on,
                             Done<std::vector<NamedVersion>> done) = 0;
  /// Takes the name away; not_found, code "version_not_found".
  virtual void remove_version(const DocumentId& document, std::string name, Executor& on,
                              Done<Unit> done) = 0;
};

}  // namespace weft::collab

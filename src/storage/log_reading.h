// How a log is read, whatever database it lies in: which snapshot is good, whether the rows add up,
// where a page ends. Both readers bring a Source for one document:
//   Result<DocumentRecord> record()                      not_found, gone, corrupt as errors
//   Result<vector<SnapshotHeader>> state_headers(max)    with a state, at most at index max, newest
//   Result<vector<SnapshotHeader>> milestones(max)       the newest few, with a state or not
//   Result<string> state(header)                         corrupt when it is not what was written
//   Status scan(after, last, visit)                      visit(LogRow&&); corrupt "damaged_log"
//   Result<optional<LogRow>> last_purge()                the newest of that kind; the same error
//   void skipped(header, why)                            says so in the log
// and keeps one snapshot of the database for as long as a question takes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "base/ports.h"
#include "base/result.h"
#include "base/utf8.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "storage/document_rows.h"
#include "storage/list_cursor.h"
#include "storage/row_checks.h"
#include "storage/row_codec.h"

namespace weft::storage {

inline void log_skipped_snapshot(Log& log, std::string_view document_text, std::uint64_t at_index,
                                 std::string_view why) {
  std::string detail = "skipped the snapshot of document ";
  detail += document_text;
  detail += " at index " + std::to_string(at_index) + ": ";
  detail += why;
  log.write(LogLevel::warning, "damaged_snapshot", detail);
}

/// The bytes, if they are what the header says.
inline Result<std::string> checked_state(const SnapshotHeader& header, std::string state) {
  if (state.size() != header.state_bytes || checksum64(state) != header.state_checksum) {
    return Error{ErrorClass::corrupt, "damaged_snapshot", "the bytes do not fit their checksum"};
  }
  return state;
}

/// As collab::Journal::load; with an index, as collab::History::load_at.
template <class Source>
Result<collab::Journal::Loaded> load_document(const Source& source,
                                              std::optional<std::uint64_t> index = std::nullopt) {
  auto record = source.record();
  if (!record.ok()) return record.error();
  const std::uint64_t last = index.value_or(record->last_index);
  if (last > record->last_index) return index_out_of_range(*record);

  auto headers = source.state_headers(last);
  if (!headers.ok()) return headers.error();
  headers->push_back({});  // the state before the first row: when no snapshot is any good

  collab::Journal::Loaded loaded;
  loaded.record = std::move(record).value();
  auto last_purge = source.last_purge();
  if (!last_purge.ok()) return last_purge.error();
  loaded.last_purge = std::move(last_purge).value();
  for (const SnapshotHeader& header : *headers) {
    loaded.snapshot_index = header.at_index;
    loaded.snapshot.clear();
    loaded.tail.clear();
    std::string why;
    if (header.at_index > 0) {
      auto state = source.state(header);
      if (state.ok()) {
        loaded.snapshot = std::move(state).value();
      } else if (state.error().error_class == ErrorClass::corrupt) {
        why = state.error().message;
      } else {
        return state.error();
      }
    }
    if (why.empty()) {
      loaded.tail.reserve(
          static_cast<std::size_t>(std::min<std::uint64_t>(last - header.at_index, 1u << 20)));
      std::uint64_t sum = header.sum;
      const Status scanned = source.scan(header.at_index, last, [&](collab::LogRow&& row) {
        sum += row.len;
        loaded.tail.push_back(std::move(row));
      });
      if (!scanned.ok()) return scanned.error();
      // What an earlier index adds up to is not known; every row has its checksum.
      if (last < loaded.record.last_index || sum == loaded.record.sum_total) return loaded;
      why = "its operations do not add up with the log";
    }
    if (header.at_index > 0) source.skipped(header, why);
  }
  return damaged_log(loaded.record.id.to_string(), last,
                     "the rows do not add up to the document's sum_total");
}

/// As collab::Journal::read_rows.
template <class Source>
Result<std::vector<collab::LogRow>> read_page(const Source& source, std::uint64_t after,
                                              std::size_t max_rows) {
  auto record = source.record();
  if (!record.ok()) return record.error();
  std::vector<collab::LogRow> rows;
  if (after >= record->last_index) return rows;
  const std::uint64_t last = after + std::min<std::uint64_t>(max_rows, record->last_index - after);
  const Status scanned =
      source.scan(after, last, [&](collab::LogRow&& row) { rows.push_back(std::move(row)); });
  if (!scanned.ok()) return scanned.error();
  return rows;
}

/// As collab::Journal::version_at.
template <class Source>
Result<rga::VersionVector> find_version(const Source& source, std::uint64_t index) {
  auto record = source.record();
  if (!record.ok()) return record.error();
  if (index > record->last_index) return index_out_of_range(*record);
  // So many snapshots stay as milestones that one of them is always a short way back.
  auto headers = source.milestones(index);
  if (!headers.ok()) return headers.error();
  rga::VersionVector version;
  std::uint64_t from = 0;
  for (const SnapshotHeader& header : *headers) {
    auto known = decode_version(header.version_vector);
    if (!known || known->sum() != header.sum) continue;
    version = *std::move(known);
    from = header.at_index;
    break;
  }
  const Status scanned = source.scan(from, index, [&](const collab::LogRow& row) {
    version.set(row.id.sid, row.id.seq + row.len - 1);
  });
  if (!scanned.ok()) return scanned.error();
  return version;
}

/// As collab::History::row_infos. Rows are read whole, so that a damaged one is noticed.
template <class Source>
Result<std::vector<collab::RowInfo>> read_row_infos(const Source& source, std::uint64_t before,
                                                    std::size_t max_rows) {
  auto record = source.record();
  if (!record.ok()) return record.error();
  const std::uint64_t last = std::min(std::max<std::uint64_t>(before, 1) - 1, record->last_index);
  const std::uint64_t after = last - std::min<std::uint64_t>(last, max_rows);
  std::vector<collab::RowInfo> infos;
  const Status scanned = source.scan(after, last, [&](const collab::LogRow& row) {
    infos.push_back({row.index, row.timestamp_us, row.id.sid, row.kind, row.len});
  });
  if (!scanned.ok()) return scanned.error();
  std::reverse(infos.begin(), infos.end());
  return infos;
}

/// As collab::History::writing_infos.
template <class Source>
Result<std::vector<collab::WritingInfo>> read_writing_infos(const Source& source,
                                                            std::uint64_t after,
                                                            std::uint64_t last) {
  auto record = source.record();
  if (!record.ok()) return record.error();
  std::vector<collab::WritingInfo> infos;
  const Status scanned =
      source.scan(after, std::min(last, record->last_index), [&](const collab::LogRow& row) {
        if (row.kind != rga::OpKind::insert && row.kind != rga::OpKind::update) return;
        const bool inserts = row.kind == rga::OpKind::insert;
        infos.push_back(
            {inserts ? row.id.element() : row.ref, row.len, row.id, row.index, row.timestamp_us});
      });
  if (!scanned.ok()) return scanned.error();
  return infos;
}

/// One page of a list on its way.
class PageBuilder {
 public:
  explicit PageBuilder(std::size_t limit) : limit_(limit) {}

  /// Rows to ask for: one more than fit tells whether there is a next page.
  std::size_t wanted() const { return limit_ + 1; }
  /// The next row of `documents`; `of_member`: followed by the membership by which it is listed. A
  /// damaged one is not listed, and what comes after it is.
  template <class Columns>
  void add(const Columns& row, bool of_member, Log& log) {
    if (++seen_ > limit_) {
      page_.next_cursor = encode_cursor(last_);
      return;
    }
    if (auto sound = read_document(row)) {
      last_ = {sound->record.creation_us, sound->record.id};
      if (of_member && check_member(row, sound->record.id, member_columns) == RowCheck::damaged) {
        log_damaged_row(log, sound->record.id, "document_members", "user_id",
                        row.text(member_columns));
        return;
      }
      page_.documents.push_back(std::move(sound->record));
      return;
    }
    log.write(LogLevel::error, "damaged_document",
              "a document's row is damaged and not listed: " + std::string(row.text(0)));
    if (const auto id = Uuid::parse(row.text(0))) last_ = {row.i64(2), *id};
  }
  collab::Catalog::Page take() { return std::move(page_); }

 private:
  static constexpr int member_columns = 14;  // behind those of the document
  std::size_t limit_;
  std::size_t seen_ = 0;
  ListCursor last_;  // of the rows that are on the page
  collab::Catalog::Page page_;
};

/// As collab::Catalog::list. fetch(from, page) adds the documents older than `from`, newest first.
template <class Fetch>
Result<collab::Catalog::Page> list_page(const collab::Catalog::ListFilter& filter,
                                        std::string_view cursor, std::size_t limit, Fetch&& fetch) {
  if (!count_scalars(filter.title_contains) || !count_scalars(filter.user)) return bad_text();
  constexpr std::size_t max_page_documents = 1000;
  ListCursor from{std::numeric_limits<std::int64_t>::max(), {}};
  if (!cursor.empty()) {
    const auto decoded = decode_cursor(cursor);
    if (!decoded) {
      return Error{ErrorClass::invalid, "bad_cursor",
                   "the cursor is not one that this server gave out"};
    }
    from = *decoded;
  }
  PageBuilder page(std::clamp<std::size_t>(limit, 1, max_page_documents));
  if (Status fetched = fetch(from, page); !fetched.ok()) return fetched.error();
  return page.take();
}

}  // namespace weft::storage

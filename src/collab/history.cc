#include "collab/history.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "collab/text_edits.h"

namespace weft::collab {
namespace {

// Some milliseconds of reading.
constexpr std::uint64_t inserts_at_once = 8192;

Error damaged(const LogRow& row, rga::ApplyOutcome outcome) {
  return {ErrorClass::corrupt, "damaged_log",
          "row " + std::to_string(row.index) + ": " + std::string(rga::to_string(outcome))};
}

/// The insert that made (sid, seq), or nullptr.
const InsertInfo* find(const std::vector<InsertInfo>& inserts, std::uint64_t sid,
                       std::uint64_t seq) {
  auto after = std::upper_bound(
      inserts.begin(), inserts.end(), std::pair(sid, seq),
      [](const std::pair<std::uint64_t, std::uint64_t>& id, const InsertInfo& insert) {
        return id < std::pair(insert.sid, insert.seq);
      });
  if (after == inserts.begin()) return nullptr;
  const InsertInfo& insert = *--after;
  return insert.sid == sid && seq - insert.seq < insert.len ? &insert : nullptr;
}

/// One collect_inserts() on its way.
struct InsertPages {
  History& history;
  const DocumentId document;
  const std::uint64_t last;
  Executor& on;
  Done<std::vector<InsertInfo>> done;
  std::uint64_t after = 0;
  std::vector<InsertInfo> all;

  static void ask(const std::shared_ptr<InsertPages>& pages) {
    const std::uint64_t until = std::min(pages->last, pages->after + inserts_at_once);
    pages->history.insert_infos(pages->document, pages->after, until, pages->on,
                                [pages, until](Result<std::vector<InsertInfo>> page) {
                                  if (!page.ok()) return pages->done(page.error());
                                  pages->all.insert(pages->all.end(), page->begin(), page->end());
                                  pages->after = until;
                                  if (until < pages->last) return ask(pages);
                                  pages->done(std::move(pages->all));
                                });
  }
};

std::string range_of(std::uint32_t first, std::uint32_t count) {
  // An empty range names the line before it.
  std::string text = std::to_string(count == 0 ? first : first + 1);
  if (count != 1) text += "," + std::to_string(count);
  return text;
}

void add_line(std::string& out, char mark, std::string_view line) {
  out += mark;
  out += line;
  if (!line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
}

}  // namespace

Result<rga::Document> state_of(const Journal::Loaded& loaded) {
  rga::Document document(loaded.record.ssn);
  if (loaded.snapshot_index > 0) {
    auto state = rga::Document::load(loaded.snapshot);
    if (!state.ok()) {
      return Error{ErrorClass::corrupt, "damaged_log", "snapshot: " + state.error().message};
    }
    document = std::move(state).value();
  }
  for (const LogRow& row : loaded.tail) {
    const rga::ApplyOutcome outcome = document.apply(row.operation());
    if (outcome != rga::ApplyOutcome::applied) return damaged(row, outcome);
  }
  return document;
}

void collect_inserts(History& history, const DocumentId& document, std::uint64_t index,
                     Executor& on, Done<std::vector<InsertInfo>> done) {
  InsertPages::ask(std::make_shared<InsertPages>(
      InsertPages{history, document, index, on, std::move(done), 0, {}}));
}

std::vector<BlameRange> blame(const rga::Document& document, std::vector<InsertInfo> inserts) {
  std::sort(inserts.begin(), inserts.end(), [](const InsertInfo& a, const InsertInfo& b) {
    return std::pair(a.sid, a.seq) < std::pair(b.sid, b.seq);
  });
  std::vector<BlameRange> ranges;
  std::uint32_t at = 0;
  document.for_each_run([&](const rga::RunView& run) {
    if (run.tombstone) return;
    for (std::uint32_t done = 0; done < run.len;) {
      const std::uint64_t seq = run.first.seq + done;
      const InsertInfo* insert = find(inserts, run.first.sid, seq);
      std::uint32_t len = run.len - done;
      BlameRange range{at, len, run.first.sid, 0, 0};
      if (insert != nullptr) {
        len = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(len, insert->seq + insert->len - seq));
        range = {at, len, run.first.sid, insert->index, insert->timestamp_us};
      }
      if (!ranges.empty() && ranges.back().index == range.index && ranges.back().sid == range.sid) {
        ranges.back().len += len;
      } else {
        ranges.push_back(range);
      }
      at += len;
      done += len;
    }
  });
  return ranges;
}

Result<std::vector<PlayedRow>> play(rga::Document& document, const std::vector<LogRow>& rows) {
  std::vector<PlayedRow> played;
  played.reserve(rows.size());
  rga::PatchList patches;
  for (const LogRow& row : rows) {
    patches.patches.clear();
    const rga::ApplyOutcome outcome = document.apply(row.operation(), &patches);
    if (outcome != rga::ApplyOutcome::applied) return damaged(row, outcome);
    PlayedRow one{{row.index, row.timestamp_us, row.id.sid, row.kind, row.len}, {}};
    for (const rga::Patch& patch : patches.patches) {
      one.changes.push_back({patch.at, patch.erased, std::string(patch.inserted)});
    }
    played.push_back(std::move(one));
  }
  return played;
}

void WorkSessions::add(const RowInfo& row) {
  if (sessions_.empty() || sessions_.back().first_us - row.timestamp_us > pause_us_) {
    WorkSession fresh;
    fresh.last_index = row.index;
    fresh.last_us = row.timestamp_us;
    sessions_.push_back(std::move(fresh));
  }
  WorkSession& session = sessions_.back();
  session.first_index = row.index;
  session.first_us = row.timestamp_us;
  session.last_us = std::max(session.last_us, row.timestamp_us);
  session.sids.insert(row.sid);
  switch (row.kind) {
    case rga::OpKind::insert: session.inserted += row.len; break;
    case rga::OpKind::erase:
    case rga::OpKind::erase_back: session.erased += row.len; break;
    case rga::OpKind::update: session.updated += row.len; break;
    case rga::OpKind::purge: break;  // of what was erased before
  }
}

std::string unified_diff(std::string_view from, std::string_view to, std::string_view from_name,
                         std::string_view to_name, std::uint32_t context) {
  const auto old_lines = split_lines(from);
  const auto new_lines = split_lines(to);
  const std::vector<LineHunk> hunks = diff_lines(old_lines, new_lines);
  if (hunks.empty()) return {};
  std::string out = "--- ";
  out += from_name;
  out += "\n+++ ";
  out += to_name;
  out += '\n';
  for (std::size_t i = 0; i < hunks.size();) {
    // Changes whose surroundings touch are shown together.
    std::size_t last = i;
    while (last + 1 < hunks.size() &&
           hunks[last + 1].from_first - (hunks[last].from_first + hunks[last].from_count) <=
               2 * context) {
      ++last;
    }
    const std::uint32_t before = std::min(context, hunks[i].from_first);
    const std::uint32_t old_first = hunks[i].from_first - before;
    const std::uint32_t new_first = hunks[i].to_first - before;
    const std::uint32_t old_end = hunks[last].from_first + hunks[last].from_count;
    const auto after =
        static_cast<std::uint32_t>(std::min<std::size_t>(context, old_lines.size() - old_end));
    const std::uint32_t new_end = hunks[last].to_first + hunks[last].to_count;
    out += "@@ -" + range_of(old_first, old_end + after - old_first);
    out += " +" + range_of(new_first, new_end + after - new_first) + " @@\n";
    std::uint32_t line = old_first;
    for (; i <= last; ++i) {
      const LineHunk& hunk = hunks[i];
      for (; line < hunk.from_first; ++line) add_line(out, ' ', old_lines[line]);
      for (; line < hunk.from_first + hunk.from_count; ++line) add_line(out, '-', old_lines[line]);
      for (std::uint32_t n = 0; n < hunk.to_count; ++n) {
        add_line(out, '+', new_lines[hunk.to_first + n]);
      }
    }
    for (; line < old_end + after; ++line) add_line(out, ' ', old_lines[line]);
  }
  return out;
}

}  // namespace weft::collab

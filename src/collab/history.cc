#include "collab/history.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "base/utf8.h"
#include "collab/text_edits.h"
#include "wire/limits.h"

namespace weft::collab {
namespace {

// Some milliseconds of reading.
constexpr std::uint64_t writings_at_once = 8192;
constexpr std::size_t rows_at_once = 1024;

Error damaged(const LogRow& row, rga::ApplyOutcome outcome) {
  return {ErrorClass::corrupt, "damaged_log",
          "row " + std::to_string(row.index) + ": " + std::string(rga::to_string(outcome))};
}

/// Which row wrote an element last. Stretches that no row divides are found in one step.
class Writers {
 public:
  explicit Writers(std::vector<WritingInfo> writings) : all_(std::move(writings)) {
    // Updates of one element are in the order of their S4Vectors at every element that they share:
    // these, too, step by one. The last one paints over the others.
    std::vector<const WritingInfo*> updates;
    for (const WritingInfo& writing : all_) {
      (writing.is_update() ? updates : inserts_).push_back(&writing);
    }
    const auto at_element_0 = [](const WritingInfo* update) {
      return std::tuple(
          update->id.ssn,
          static_cast<std::int64_t>(update->id.sum) - static_cast<std::int64_t>(update->first.seq),
          update->id.sid);
    };
    std::sort(updates.begin(), updates.end(), [&](const WritingInfo* a, const WritingInfo* b) {
      return at_element_0(a) < at_element_0(b);
    });
    for (const WritingInfo* update : updates) paint(*update);
    std::sort(inserts_.begin(), inserts_.end(), [](const WritingInfo* a, const WritingInfo* b) {
      return std::pair(a->first.sid, a->first.seq) < std::pair(b->first.sid, b->first.seq);
    });
  }

  struct Found {
    const WritingInfo* writing = nullptr;  // none: the row is missing
    std::uint64_t len = 0;                 // elements from the asked one on, all of this row
  };
  Found at(std::uint64_t sid, std::uint64_t seq) const {
    Found found = insert_of(sid, seq);
    if (found.writing == nullptr) return found;
    const auto later = painted_.lower_bound({sid, seq + 1});
    if (later != painted_.end() && later->first.first == sid) {
      found.len = std::min(found.len, later->first.second - seq);
    }
    if (later == painted_.begin()) return found;
    const auto& [first, paint] = *std::prev(later);
    if (first.first != sid || paint.end <= seq) return found;
    return {paint.update, std::min(found.len, paint.end - seq)};
  }

 private:
  struct Paint {
    std::uint64_t end = 0;  // the seq after the last one
    const WritingInfo* update = nullptr;
  };

  Found insert_of(std::uint64_t sid, std::uint64_t seq) const {
    const auto after = std::upper_bound(
        inserts_.begin(), inserts_.end(), std::pair(sid, seq),
        [](const std::pair<std::uint64_t, std::uint64_t>& id, const WritingInfo* insert) {
          return id < std::pair(insert->first.sid, insert->first.seq);
        });
    if (after == inserts_.begin()) return {};
    const WritingInfo& insert = **std::prev(after);
    if (insert.first.sid != sid || seq - insert.first.seq >= insert.len) return {};
    return {&insert, insert.first.seq + insert.len - seq};
  }

  void paint(const WritingInfo& update) {
    const std::uint64_t sid = update.first.sid;
    const std::uint64_t begin = update.first.seq;
    const std::uint64_t end = begin + update.len;
    auto at = painted_.lower_bound({sid, begin});
    if (at != painted_.begin()) {
      const auto before = std::prev(at);
      const Paint old = before->second;
      if (before->first.first == sid && old.end > begin) {
        before->second.end = begin;
        if (old.end > end) painted_[{sid, end}] = old;
      }
    }
    while (at != painted_.end() && at->first.first == sid && at->first.second < end) {
      if (at->second.end > end) painted_[{sid, end}] = at->second;
      at = painted_.erase(at);
    }
    painted_[{sid, begin}] = {end, &update};
  }

  const std::vector<WritingInfo> all_;
  std::vector<const WritingInfo*> inserts_;                           // by sid, then seq
  std::map<std::pair<std::uint64_t, std::uint64_t>, Paint> painted_;  // by sid, then first seq
};

/// One collect_writings() on its way.
struct WritingPages {
  History& history;
  const DocumentId document;
  const std::uint64_t last;
  Executor& on;
  Done<std::vector<WritingInfo>> done;
  std::uint64_t after = 0;
  std::vector<WritingInfo> all;

  static void ask(const std::shared_ptr<WritingPages>& pages) {
    const std::uint64_t until = std::min(pages->last, pages->after + writings_at_once);
    pages->history.writing_infos(pages->document, pages->after, until, pages->on,
                                 [pages, until](Result<std::vector<WritingInfo>> page) {
                                   if (!page.ok()) return pages->done(page.error());
                                   pages->all.insert(pages->all.end(), page->begin(), page->end());
                                   pages->after = until;
                                   if (until < pages->last) return ask(pages);
                                   pages->done(std::move(pages->all));
                                 });
  }
};

/// Applies rows that must follow the one at `index`, which moves on.
Status apply_all(rga::Document& document, const std::vector<LogRow>& rows, std::uint64_t& index) {
  for (const LogRow& row : rows) {
    if (row.index != index + 1) {
      return Error{ErrorClass::corrupt, "damaged_log",
                   "row " + std::to_string(index + 1) + " is missing"};
    }
    const rga::ApplyOutcome outcome = document.apply(row.operation());
    if (outcome != rga::ApplyOutcome::applied) return damaged(row, outcome);
    index = row.index;
  }
  return ok_status();
}

/// One replay_log() on its way.
struct LogPages {
  Journal& journal;
  const DocumentId id;
  const std::uint64_t last;
  Executor& on;
  Done<rga::Document> done;
  rga::Document document;
  std::uint64_t index = 0;

  static void ask(const std::shared_ptr<LogPages>& pages) {
    if (pages->index == pages->last) return pages->done(std::move(pages->document));
    const std::uint64_t left = pages->last - pages->index;
    pages->journal.read_rows(
        pages->id, pages->index, std::min<std::uint64_t>(rows_at_once, left), pages->on,
        [pages](const Result<std::vector<LogRow>>& rows) {
          if (!rows.ok()) return pages->done(rows.error());
          if (rows->empty()) {
            return pages->done(Error{ErrorClass::corrupt, "damaged_log",
                                     "row " + std::to_string(pages->index + 1) + " is missing"});
          }
          const Status applied = apply_all(pages->document, *rows, pages->index);
          if (!applied.ok()) return pages->done(applied.error());
          ask(pages);
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

bool is_version_name(std::string_view name) {
  return !name.empty() && name.size() <= wire::Limits::max_version_name_bytes &&
         count_scalars(name) && is_one_line(name);
}

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

void replay_log(Journal& journal, const DocumentId& document, std::uint64_t ssn,
                std::uint64_t index, Executor& on, Done<rga::Document> done) {
  LogPages::ask(std::make_shared<LogPages>(
      LogPages{journal, document, index, on, std::move(done), rga::Document(ssn)}));
}

void collect_writings(History& history, const DocumentId& document, std::uint64_t index,
                      Executor& on, Done<std::vector<WritingInfo>> done) {
  WritingPages::ask(std::make_shared<WritingPages>(
      WritingPages{history, document, index, on, std::move(done), 0, {}}));
}

Result<std::vector<BlameRange>> blame(const rga::Document& document,
                                      std::vector<WritingInfo> writings) {
  const Writers writers(std::move(writings));
  std::vector<BlameRange> ranges;
  std::uint32_t at = 0;
  std::optional<Error> missing;
  document.for_each_run([&](const rga::RunView& run) {
    if (run.tombstone) return;
    for (std::uint32_t done = 0; done < run.len && !missing;) {
      const std::uint64_t seq = run.first.seq + done;
      const Writers::Found found = writers.at(run.first.sid, seq);
      if (found.writing == nullptr) {
        missing = Error{ErrorClass::corrupt, "damaged_log",
                        "no row inserted element " + std::to_string(seq) + " of site " +
                            std::to_string(run.first.sid)};
        return;
      }
      const auto len =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(run.len - done, found.len));
      if (!ranges.empty() && ranges.back().index == found.writing->index) {
        ranges.back().len += len;
      } else {
        ranges.push_back(
            {at, len, found.writing->id.sid, found.writing->index, found.writing->timestamp_us});
      }
      at += len;
      done += len;
    }
  });
  if (missing) return *std::move(missing);
  return ranges;
}

std::size_t told_bytes(const PlayedRow& row) {
  std::size_t bytes = 100;
  for (const PlayedRow::Change& change : row.changes) bytes += 50 + change.inserted.size();
  return bytes;
}

Result<std::vector<PlayedRow>> play(rga::Document& document, const std::vector<LogRow>& rows,
                                    std::size_t enough_bytes) {
  std::vector<PlayedRow> played;
  std::size_t bytes = 0;
  rga::PatchList patches;
  for (const LogRow& row : rows) {
    if (bytes >= enough_bytes) break;
    patches.patches.clear();
    const rga::ApplyOutcome outcome = document.apply(row.operation(), &patches);
    if (outcome != rga::ApplyOutcome::applied) return damaged(row, outcome);
    PlayedRow one{{row.index, row.timestamp_us, row.id.sid, row.kind, row.len}, {}};
    std::uint64_t end = UINT64_MAX;  // where the last change's insertion ends
    for (const rga::Patch& patch : patches.patches) {
      // An update is a change of each character: neighbours are told as one.
      if (patch.at == end) {
        one.changes.back().erased += patch.erased;
        one.changes.back().inserted += patch.inserted;
      } else {
        one.changes.push_back({patch.at, patch.erased, std::string(patch.inserted)});
      }
      end = patch.at + count_scalars(patch.inserted).value_or(0);
    }
    bytes += told_bytes(one);
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

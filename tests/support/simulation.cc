#include "tests/support/simulation.h"

#include <algorithm>
#include <utility>

#include "collab/batch_moving.h"

namespace weft::simulation {

// --- time, chance, log ---------------------------------------------------------------------------

void VirtualExecutor::post_after(std::int64_t delay_ms, std::function<void()> work) {
  work_.emplace(Due{now_ms_ + delay_ms, ++posted_}, std::move(work));
}

void VirtualExecutor::run_for(std::int64_t ms) {
  const std::int64_t end_ms = now_ms_ + ms;
  while (!work_.empty() && work_.begin()->first.first <= end_ms) {
    auto next = work_.extract(work_.begin());
    now_ms_ = next.key().first;
    next.mapped()();
  }
  now_ms_ = end_ms;
}

/// SplitMix64.
std::uint64_t SeededRandom::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void RecordingLog::write(LogLevel, std::string_view event, std::string_view) {
  events_.emplace_back(event);
}

std::size_t RecordingLog::count(std::string_view event) const {
  return static_cast<std::size_t>(std::count(events_.begin(), events_.end(), event));
}

// --- journal -------------------------------------------------------------------------------------

namespace {

Error not_found() { return {ErrorClass::not_found, "document_not_found", "no such document"}; }

rga::VersionVector version_of(const std::vector<collab::LogRow>& rows, std::uint64_t index) {
  rga::VersionVector version;
  for (std::uint64_t i = 0; i < index; ++i)
    version.set(rows[i].id.sid, rows[i].id.seq + rows[i].len - 1);
  return version;
}

}  // namespace

template <class T>
void MemoryJournal::carry_out(Executor& on, collab::Done<T> done, std::function<Result<T>()> work,
                              bool delays_answer) {
  busy_until_ms_ = std::max(busy_until_ms_, executor_.monotonic_ms()) + work_delay_ms();
  executor_.post_after(
      busy_until_ms_ - executor_.monotonic_ms(),
      [this, &on, life = life_, delays_answer, done = std::move(done), work = std::move(work)] {
        if (life != life_) return;
        // Shared, because std::function wants copies.
        auto answer = std::make_shared<Result<T>>(
            is_away ? Result<T>(Error{ErrorClass::unavailable, "storage_unavailable", "away"})
                    : work());
        on.post_after(delays_answer ? answer_delay_ms() : 0, [this, life, done, answer] {
          if (life == life_) done(std::move(*answer));
        });
      });
}

MemoryJournal::Stored* MemoryJournal::find(const DocumentId& id) {
  const auto found = documents_.find(id);
  return found == documents_.end() ? nullptr : &found->second;
}

void MemoryJournal::create(const DocumentId& id, std::uint64_t ssn) {
  collab::DocumentRecord& record = documents_[id].record;
  record.id = id;
  record.ssn = ssn;
  record.incarnation = Uuid::from_random(documents_.size(), ssn);
  record.creation_us = record.updated_us = executor_.unix_us();
}

void MemoryJournal::append(const DocumentId& document, Batch batch, Executor& on,
                           collab::Done<Appended> done) {
  ++appends_;
  const auto work = [this, document, batch = std::move(batch)]() mutable -> Result<Appended> {
    const Error unavailable{ErrorClass::unavailable, "storage_unavailable", "the disk is full"};
    const Fault fault = append_fault();
    if (fault == Fault::lost) return unavailable;
    Stored* found = find(document);
    if (found == nullptr) return not_found();
    Appended answer;
    if (found->record.last_index != batch.expected_last_index) {
      const Error moved{ErrorClass::conflict, "log_moved", "the log ends elsewhere"};
      if (found->record.last_index < batch.expected_last_index) return moved;
      const auto begin = found->rows.begin();
      answer.missed.assign(begin + static_cast<std::ptrdiff_t>(batch.expected_last_index),
                           found->rows.end());
      if (!collab::move_past(batch, answer.missed)) return moved;
    }
    for (const collab::EditKey& key : batch.keys) {
      if (found->edit_keys.count(key.key) > 0) {
        return Error{ErrorClass::conflict, "edit_key_exists", "the key is known"};
      }
    }
    for (const collab::EditKey& key : batch.keys) found->edit_keys[key.key] = key;
    for (collab::LogRow& row : batch.rows) {
      row.index = ++found->record.last_index;
      found->record.sum_total += row.len;
      found->record.updated_us = row.timestamp_us;
      found->rows.push_back(std::move(row));
    }
    if (fault == Fault::stored) return unavailable;
    answer.last_index = found->record.last_index;
    return answer;
  };
  carry_out<Appended>(on, std::move(done), work, true);
}

void MemoryJournal::find_edit(const DocumentId& document, std::string key, Executor& on,
                              collab::Done<std::optional<collab::EditKey>> done) {
  const auto work = [this, document,
                     key = std::move(key)]() -> Result<std::optional<collab::EditKey>> {
    Stored* found = find(document);
    if (found == nullptr) return not_found();
    const auto known = found->edit_keys.find(key);
    if (known == found->edit_keys.end()) return std::optional<collab::EditKey>{};
    return std::optional(known->second);
  };
  carry_out<std::optional<collab::EditKey>>(on, std::move(done), work);
}

void MemoryJournal::load(const DocumentId& document, Executor& on, collab::Done<Loaded> done) {
  carry_out<Loaded>(on, std::move(done), [this, document]() -> Result<Loaded> {
    const Stored* found = find(document);
    if (found == nullptr) return not_found();
    return loaded_at(*found, found->rows.size());
  });
}

void MemoryJournal::load_at(const DocumentId& document, std::uint64_t index, Executor& on,
                            collab::Done<Loaded> done) {
  carry_out<Loaded>(on, std::move(done), [this, document, index]() -> Result<Loaded> {
    const Stored* found = find(document);
    if (found == nullptr) return not_found();
    if (index > found->rows.size()) {
      return Error{ErrorClass::invalid, "index_out_of_range", "beyond the log"};
    }
    return loaded_at(*found, index);
  });
}

collab::Journal::Loaded MemoryJournal::loaded_at(const Stored& stored, std::uint64_t index) {
  Loaded loaded;
  loaded.record = stored.record;
  for (const auto& [at, bytes] : stored.snapshots) {
    if (at > index) break;
    loaded.snapshot_index = at;
    loaded.snapshot = bytes;
  }
  const auto begin = stored.rows.begin();
  loaded.tail.assign(begin + static_cast<std::ptrdiff_t>(loaded.snapshot_index),
                     begin + static_cast<std::ptrdiff_t>(index));
  for (const collab::LogRow& row : stored.rows) {
    if (row.kind == rga::OpKind::purge) loaded.last_purge = row;
  }
  return loaded;
}

void MemoryJournal::index_at_time(const DocumentId& document, std::int64_t time_us, Executor& on,
                                  collab::Done<std::uint64_t> done) {
  using Index = std::uint64_t;
  carry_out<Index>(on, std::move(done), [this, document, time_us]() -> Result<Index> {
    const Stored* found = find(document);
    if (found == nullptr) return not_found();
    const auto later = std::upper_bound(
        found->rows.begin(), found->rows.end(), time_us,
        [](std::int64_t time, const collab::LogRow& row) { return time < row.timestamp_us; });
    return static_cast<std::uint64_t>(later - found->rows.begin());
  });
}

void MemoryJournal::read_rows(const DocumentId& document, std::uint64_t after, std::size_t max_rows,
                              Executor& on, collab::Done<std::vector<collab::LogRow>> done) {
  ++row_reads_;
  using Rows = std::vector<collab::LogRow>;
  carry_out<Rows>(on, std::move(done), [this, document, after, max_rows]() -> Result<Rows> {
    Stored* found = find(document);
    if (found == nullptr) return not_found();
    Rows rows;
    for (std::uint64_t i = after; i < found->rows.size() && rows.size() < max_rows; ++i) {
      rows.push_back(found->rows[i]);
    }
    return rows;
  });
}

void MemoryJournal::version_at(const DocumentId& document, std::uint64_t index, Executor& on,
                               collab::Done<rga::VersionVector> done) {
  ++version_questions_;
  using Version = rga::VersionVector;
  carry_out<Version>(on, std::move(done), [this, document, index]() -> Result<Version> {
    Stored* found = find(document);
    if (found == nullptr) return not_found();
    return version_of(found->rows, index);
  });
}

void MemoryJournal::lease_site(const DocumentId& document, const ClientId& client,
                               collab::Author author, Executor& on,
                               collab::Done<std::uint64_t> done) {
  using Sid = std::uint64_t;
  carry_out<Sid>(on, std::move(done), [this, document, client, author]() -> Result<Sid> {
    Stored* found = find(document);
    if (found == nullptr) return not_found();
    std::uint64_t sid = 0;
    for (const ClientId& as : {client, collab::client_as(client, author)}) {
      sid = found->sites.try_emplace(as, found->sites.size() + 1).first->second;
      const auto known = found->authors.try_emplace(sid, author).first;
      if (!collab::is_same_author(known->second, author)) continue;
      if (!author.name.empty()) known->second.name = author.name;
      break;
    }
    return sid;
  });
}

void MemoryJournal::authors_of(const DocumentId& document, std::vector<std::uint64_t> sids,
                               Executor& on, collab::Done<std::vector<collab::SiteAuthor>> done) {
  using Authors = std::vector<collab::SiteAuthor>;
  carry_out<Authors>(on, std::move(done), [this, document, sids]() -> Result<Authors> {
    Authors authors;
    const Stored* found = find(document);
    for (const std::uint64_t sid : sids) {
      if (found == nullptr || !found->authors.contains(sid)) continue;
      authors.push_back({sid, found->authors.at(sid)});
    }
    return authors;
  });
}

void MemoryJournal::save_snapshot(const DocumentId& document, std::uint64_t index,
                                  std::string snapshot, Executor& on, collab::Done<Unit> done) {
  carry_out<Unit>(on, std::move(done), [this, document, index, snapshot]() -> Status {
    Stored* found = find(document);
    if (found == nullptr) return not_found();
    found->snapshots[index] = snapshot;
    while (found->snapshots.size() > 2) found->snapshots.erase(found->snapshots.begin());
    return ok_status();
  });
}

void MemoryJournal::log_ends(std::vector<DocumentId> documents, Executor& on,
                             collab::Done<std::vector<collab::LogEnd>> done) {
  using Ends = std::vector<collab::LogEnd>;
  carry_out<Ends>(on, std::move(done), [this, documents = std::move(documents)]() -> Result<Ends> {
    Ends ends;
    for (const DocumentId& id : documents) {
      const Stored* found = find(id);
      if (found == nullptr) continue;
      ends.push_back({id, found->record.incarnation, found->record.last_index});
    }
    return ends;
  });
}

void MemoryJournal::compare_state(const DocumentId& document, StateClaim claim, Executor& on,
                                  collab::Done<std::uint64_t> done) {
  using Hash = std::uint64_t;
  carry_out<Hash>(on, std::move(done), [this, document, claim]() -> Result<Hash> {
    Stored* found = find(document);
    if (found == nullptr) return not_found();
    if (claim.index > found->record.last_index) {
      return Error{ErrorClass::invalid, "index_out_of_range", "beyond the log"};
    }
    auto [said, is_first] = found->state_hashes.try_emplace(claim.index, claim.state_hash);
    if (claim.is_of_log) said->second = claim.state_hash;
    return said->second;
  });
}

// --- outbox --------------------------------------------------------------------------------------

void SimulatedOutbox::send(std::shared_ptr<const std::string> message) {
  if (closed_ || cut_) return;
  queued_bytes_ += message->size();
  queue_.push_back({std::move(message), {}});
  schedule();
}

void SimulatedOutbox::close(wire::CloseCode code, std::string_view) {
  if (closed_ || cut_) return;
  closed_ = true;
  queue_.push_back({nullptr, code});
  schedule();
}

void SimulatedOutbox::schedule() {
  if (stalled_) return;
  executor_.post_after(latency_ms_, [outbox = weak_from_this()] {
    if (const auto self = outbox.lock()) self->deliver();
  });
}

void SimulatedOutbox::deliver() {
  if (queue_.empty() || stalled_ || cut_) return;
  const Item item = std::move(queue_.front());
  queue_.pop_front();
  if (!item.message) {
    on_close(item.code);
    return;
  }
  queued_bytes_ -= item.message->size();
  on_message(*item.message);
}

void SimulatedOutbox::resume() {
  stalled_ = false;
  for (std::size_t i = 0; i < queue_.size(); ++i) schedule();
}

void SimulatedOutbox::cut() {
  cut_ = true;
  queue_.clear();
  queued_bytes_ = 0;
}

}  // namespace weft::simulation

#include "tests/property/network.h"

#include <algorithm>

#include "tests/property/compare.h"
#include "tests/property/plain_text.h"

namespace weft::rga::property {

template <class Shape>
Network<Shape>::Network(std::uint64_t seed, Mutant judge) : dice_(seed), mutant_(judge) {
  const std::uint32_t count = dice_.chance(70) ? dice_.between(2, 4) : dice_.between(5, 8);
  habits_.steps = dice_.between(10, dice_.chance(20) ? 250 : 80);
  habits_.erase_percent = dice_.below(60);
  habits_.update_percent = dice_.chance(30) ? dice_.between(5, 30) : 0;
  habits_.astral_percent = dice_.chance(50) ? 0 : dice_.between(2, 40);
  habits_.longest_insert = dice_.chance(30) ? dice_.between(5, 40) : dice_.between(1, 4);
  habits_.deliver_percent = dice_.between(5, 60);
  habits_.reload_percent = dice_.chance(40) ? dice_.between(1, 8) : 0;
  habits_.purge_percent = dice_.chance(40) ? dice_.between(1, 10) : 0;
  habits_.place = dice_.below(4);
  ssn_ = dice_.chance(80) ? 1 : dice_.bits() % max_integer;
  // Large and small site ids, in no order.
  const bool large_sids = dice_.chance(20);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t sid = large_sids ? max_integer - (i * 7919 + dice_.below(1000)) * 3 - i % 3
                                         : 1 + (i * 37 + 11) % 101;
    std::optional<PatchList::Unit> unit;
    if (dice_.chance(75)) {
      unit = dice_.chance(50) ? PatchList::Unit::scalars : PatchList::Unit::utf16;
    }
    replicas_.push_back({sid,
                         BasicDocument<Shape>(ssn_),
                         NaiveRga(ssn_, judge),
                         Mirror(unit),
                         static_cast<Style>(dice_.below(5)),
                         {},
                         {},
                         0});
    replicas_.back().heard.assign(count, 0);
    replicas_.back().document.set_local_site(sid);
  }
}

template <class Shape>
void Network<Shape>::fail(const std::string& what) {
  if (problem_.empty()) problem_ = "step " + std::to_string(step_) + ": " + what;
}

template <class Shape>
std::string Network<Shape>::run() {
  for (step_ = 0; step_ < habits_.steps && !failed(); ++step_) {
    Replica& replica = replicas_[dice_.below(static_cast<std::uint32_t>(replicas_.size()))];
    edit(replica);
    while (!failed() && dice_.chance(habits_.deliver_percent)) {
      Replica& hearer = replicas_[dice_.below(static_cast<std::uint32_t>(replicas_.size()))];
      deliver_some(hearer);
      if (dice_.chance(10)) deliver_too_early(hearer);
    }
    if (!failed() && dice_.chance(habits_.reload_percent)) reload(replica);
    if (!failed() && dice_.chance(habits_.purge_percent)) purge_some(replica);
  }
  if (!failed()) settle_everybody();
  return problem_;
}

// --- local edits ---------------------------------------------------------------------------------

template <class Shape>
void Network<Shape>::edit(Replica& replica) {
  const std::uint32_t dice = dice_.below(100);
  const std::uint32_t action = dice < habits_.erase_percent                            ? 1
                               : dice < habits_.erase_percent + habits_.update_percent ? 2
                                                                                       : 0;
  const auto length = static_cast<std::uint32_t>(replica.judge.text().size());
  std::uint32_t at = choose_place(replica, length);
  if (action == 2 || dice_.chance(60)) return edit_once(replica, action, at);
  // Somebody types on, or holds backspace or delete.
  const std::uint32_t key = action == 0 ? 3 : dice_.chance(50) ? 4 : 5;
  for (std::uint32_t n = dice_.between(2, 9); n > 0 && !failed(); --n) {
    edit_once(replica, key, replica.last_at);
  }
}

template <class Shape>
std::uint32_t Network<Shape>::choose_place(const Replica& replica, std::uint32_t length) {
  if (habits_.place == 1) return std::min(length, dice_.below(3));
  if (habits_.place == 2 && dice_.chance(80)) return std::min(length, replica.last_at);
  return dice_.below(length + 1);
}

/// 0 insert, 1 erase, 2 update, 3 type one character, 4 backspace one, 5 delete the next one.
template <class Shape>
void Network<Shape>::edit_once(Replica& replica, std::uint32_t action, std::uint32_t at) {
  std::u32string text = replica.judge.text();
  const auto length = static_cast<std::uint32_t>(text.size());
  at = std::min(at, length);
  OpWriter writer;
  OpWriter* const out = &writer;
  EditOutcome outcome = EditOutcome::done;
  if (action == 0 || action == 3) {
    const std::u32string added = dice_.text(
        action == 3 ? 1 : dice_.between(1, habits_.longest_insert), habits_.astral_percent);
    outcome = replica.document.insert({at}, encode_utf8(added), out);
    text.insert(at, added);
    replica.last_at = at + static_cast<std::uint32_t>(added.size());
  } else if (action == 4) {
    if (at == 0) return;
    outcome = replica.document.erase({at - 1}, 1, out);
    text.erase(at - 1, 1);
    replica.last_at = at - 1;
  } else {
    if (at == length) return;
    const std::uint32_t most = dice_.chance(5) ? length - at : std::min(length - at, 6u);
    const std::uint32_t count = action == 5 ? 1 : dice_.between(1, most);
    replica.last_at = at;
    if (action != 2) {
      outcome = replica.document.erase({at}, count, out);
      text.erase(at, count);
    } else {
      const std::u32string other = dice_.text(std::min(count, 3u), habits_.astral_percent);
      outcome = replica.document.update({at}, encode_utf8(other), out);
      text.replace(at, other.size(), other);
    }
  }
  if (outcome != EditOutcome::done) return fail("a local edit was refused");
  take_operations(replica, writer);
  if (failed()) return;
  // The edit is exactly where it was asked for.
  if (replica.judge.text() != text) return fail("a local edit went elsewhere");
  replica.mirror.set(text);
  check(replica);
}

/// Reads what a local edit said, judges it, and puts it into the replica's log.
template <class Shape>
void Network<Shape>::take_operations(Replica& replica, OpWriter& writer) {
  OpReader reader(writer.bytes());
  OpWriter again;
  Operation op;
  while (reader.next(op) && !failed()) {
    again.append(op);
    const S4Vector expected{ssn_, replica.judge.sum() + 1, replica.sid,
                            replica.judge.seq_of(replica.sid) + 1};
    if (!(op.id == expected)) {
      return fail("a local operation is " + describe(op) + ", its id should be " +
                  describe(expected));
    }
    if (replica.judge.judge(op) != ApplyOutcome::applied) {
      return fail("the judge refuses a local " + describe(op));
    }
    std::vector<std::uint64_t> known;
    for (const Replica& other : replicas_) known.push_back(replica.judge.seq_of(other.sid));
    if (!replica.judge.apply(op)) return fail("the judge has no place for a local operation");
    elements_applied_ += op.len;
    replica.log.push_back({op, std::string(op.text), std::move(known)});
    replica.log.back().op.text = {};
  }
  if (reader.failed()) return fail("a document wrote operations that cannot be read");
  if (again.bytes() != writer.bytes()) return fail("reading and writing again gives other bytes");
}

// --- what others did -----------------------------------------------------------------------------

template <class Shape>
bool Network<Shape>::ready(const Replica& replica, const Entry& entry) const {
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    if (entry.known[i] > replica.judge.seq_of(replicas_[i].sid)) return false;
  }
  return true;
}

/// False when nothing could be delivered.
template <class Shape>
bool Network<Shape>::deliver_some(Replica& replica) {
  const auto count = static_cast<std::uint32_t>(replicas_.size());
  const std::uint32_t first = dice_.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t author = (first + i) % count;
    const Replica& other = replicas_[author];
    if (&other == &replica || replica.heard[author] == other.log.size()) continue;
    if (!ready(replica, other.log[replica.heard[author]])) continue;
    deliver(replica, author);
    return true;
  }
  return false;
}

template <class Shape>
void Network<Shape>::deliver(Replica& replica, std::size_t author) {
  if (replica.style == Style::streamed) return stream(replica, author);
  const std::deque<Entry>& log = replicas_[author].log;
  std::size_t& heard = replica.heard[author];
  Operation op = log[heard].operation();
  std::string text;
  if (replica.style == Style::by_element) {
    while (op.len > 1 && !failed()) {
      // Mostly one by one, sometimes a few at once.
      const std::uint32_t count = dice_.chance(80) ? 1 : dice_.between(1, op.len - 1);
      hand_over(replica, take_front(op, count));
      op = drop_front(op, count);
    }
    if (!failed()) hand_over(replica, op);
    ++heard;
  } else if (replica.style == Style::as_made) {
    hand_over(replica, op);
    ++heard;
  } else {
    std::size_t from = heard;
    if (replica.style == Style::overlapping) from -= std::min<std::size_t>(from, dice_.below(4));
    op = log[from].operation();
    text = op.text;
    std::size_t to = from + 1;
    for (; to < log.size() && (to <= heard || dice_.chance(80)); ++to) {
      const Operation next = log[to].operation();
      if (!continues_run(op, next)) {
        if (to > heard) break;
        op = next;
        text = next.text;
        continue;
      }
      op.kind = merged_kind(op, next);
      op.len += next.len;
      text += next.text;
    }
    op.text = text;
    hand_over(replica, op);
    heard = to;
  }
  // The same again, all of it or its beginning.
  if (!failed() && dice_.chance(15)) hand_over(replica, take_front(op, dice_.between(1, op.len)));
  if (!failed() && dice_.chance(5)) {
    hand_over(replica, log[dice_.below(static_cast<std::uint32_t>(heard))].operation());
  }
}

/// As many entries as are ready and chance allows, in one stream of bytes: rows as made, or element
/// by element, some of them known already.
template <class Shape>
void Network<Shape>::stream(Replica& replica, std::size_t author) {
  const std::deque<Entry>& log = replicas_[author].log;
  std::size_t& heard = replica.heard[author];
  const bool by_element = dice_.chance(50);
  OpWriter writer;
  std::size_t entry = heard - std::min<std::size_t>(heard, dice_.chance(20) ? dice_.below(4) : 0);
  do {
    Operation op = log[entry].operation();
    for (; by_element && op.len > 1; op = drop_front(op, 1)) writer.append(take_front(op, 1));
    writer.append(op);
    if (dice_.chance(5)) writer.cut();
    ++entry;
  } while (entry < log.size() && (entry <= heard || ready(replica, log[entry])) &&
           dice_.chance(95));
  heard = std::max(heard, entry);
  hand_over_stream(replica, writer.bytes());
}

template <class Shape>
void Network<Shape>::hand_over_stream(Replica& replica, std::string_view bytes) {
  OpReader counted(bytes);
  OpReader reader(bytes);
  Operation op;
  std::uint64_t left = 0;  // operations of the slice that the judge has not heard
  for (std::uint64_t slice = 0; !failed(); --left) {
    if (left == 0) {
      if (slice > 0) check(replica);
      slice = dice_.chance(50) ? dice_.between(1, 12) : ~std::uint64_t{0};
      PatchList patches = replica.mirror.fresh_list();
      const bool wanted = replica.mirror.wants_patches();
      const StreamOutcome done = replica.document.apply(reader, wanted ? &patches : nullptr, slice);
      if (done.outcome != ApplyOutcome::applied && done.outcome != ApplyOutcome::duplicate) {
        return fail("a stream was refused: " + std::string(to_string(done.outcome)));
      }
      if (const std::string what = replica.mirror.follow(patches); !what.empty()) {
        return fail(what + " after a stream");
      }
      left = done.operations;
      if (left == 0) break;
    }
    if (!counted.next(op)) return fail("a stream had fewer operations than were applied");
    if (replica.judge.judge(op) == ApplyOutcome::duplicate) continue;
    if (!replica.judge.apply(op)) return fail("the judge has no place for " + describe(op));
    elements_applied_ += op.len;
  }
  if (!failed() && counted.next(op)) return fail("a stream ended early");
  check(replica);
}

/// Something whose past is missing here, or that leaves a gap. Refused, and nothing changes.
template <class Shape>
void Network<Shape>::deliver_too_early(Replica& replica) {
  if (failed()) return;
  const std::size_t author = dice_.below(static_cast<std::uint32_t>(replicas_.size()));
  const std::deque<Entry>& log = replicas_[author].log;
  const std::size_t heard = replica.heard[author];
  if (&replicas_[author] == &replica || heard + 1 >= log.size()) return;
  const std::size_t ahead = dice_.below(static_cast<std::uint32_t>(log.size() - heard));
  const Operation op = log[heard + ahead].operation();
  if (replica.judge.judge(op) != ApplyOutcome::applied) hand_over(replica, op);
}

template <class Shape>
void Network<Shape>::hand_over(Replica& replica, const Operation& op) {
  const ApplyOutcome expected = replica.judge.judge(op);
  const bool changes = expected == ApplyOutcome::applied;
  const std::uint64_t hash = changes ? 0 : replica.document.state_hash();
  PatchList patches = replica.mirror.fresh_list();
  const ApplyOutcome outcome =
      replica.document.apply(op, replica.mirror.wants_patches() ? &patches : nullptr);
  if (outcome != expected) {
    return fail("the document says " + std::string(to_string(outcome)) + ", the judge " +
                std::string(to_string(expected)) + " to " + describe(op));
  }
  if (changes) {
    if (!replica.judge.apply(op)) return fail("the judge has no place for " + describe(op));
    elements_applied_ += op.len;
    if (const std::string what = replica.mirror.follow(patches); !what.empty()) {
      return fail(what + " after " + describe(op));
    }
  } else if (!patches.patches.empty() || replica.document.state_hash() != hash) {
    return fail("a refused or known operation changed something: " + describe(op));
  }
  check(replica);
  if (failed()) problem_ += "\nafter " + describe(op);
}

// --- purging -------------------------------------------------------------------------------------

template <class Shape>
void Network<Shape>::hear_everything() {
  for (bool any = true; any && !failed();) {
    any = false;
    for (Replica& replica : replicas_) any = (!failed() && deliver_some(replica)) || any;
  }
}

/// Once everybody knows everything, every tombstone's deletion and every element is known to all,
/// and nobody has something of their own that others do not know: any tombstone may go.
template <class Shape>
void Network<Shape>::purge_some(Replica& replica) {
  hear_everything();
  std::vector<ElementId> targets;
  for (const NaiveRga::Element& element : replica.judge.elements()) {
    if (element.tombstone) targets.push_back(element.id.element());
  }
  std::sort(targets.begin(), targets.end());
  const std::uint32_t percent = dice_.chance(40) ? 100 : dice_.between(1, 90);
  OpWriter writer;
  std::uint32_t counted = 0;  // seq and sum that the operations take
  Operation op;
  op.len = 0;
  const auto write = [&] {
    if (op.len > 0) writer.append(op);
    counted += op.len;
    op.len = 0;
  };
  for (const ElementId target : targets) {
    if (!dice_.chance(percent)) continue;
    const bool goes_on = op.len > 0 && target == ElementId{op.ref.sid, op.ref.seq + op.len};
    if (!goes_on || dice_.chance(20)) {
      write();
      op.kind = OpKind::purge;
      op.id = {ssn_, replica.judge.sum() + 1 + counted, replica.sid,
               replica.judge.seq_of(replica.sid) + 1 + counted};
      op.ref = target;
    }
    ++op.len;
  }
  write();
  OpReader reader(writer.bytes());
  while (!failed() && reader.next(op)) {
    if (replica.document.apply(op) != ApplyOutcome::applied) fail("refused " + describe(op));
  }
  if (!failed()) take_operations(replica, writer);
  if (!failed()) check(replica);
}

// --- checks --------------------------------------------------------------------------------------

template <class Shape>
void Network<Shape>::reload(Replica& replica) {
  std::string bytes;
  replica.document.save(bytes);
  auto loaded = BasicDocument<Shape>::load(bytes);
  if (!loaded.ok()) return fail("a snapshot cannot be loaded: " + loaded.error().message);
  if (loaded->state_hash() != replica.document.state_hash()) return fail("loaded another state");
  if (loaded->version() != replica.document.version()) return fail("loaded another version");
  replica.document = std::move(*loaded);
  replica.document.set_local_site(replica.sid);
  check(replica);
}

template <class Shape>
void Network<Shape>::check(Replica& replica) {
  // The tiny tree after every step; the large one costs too much to look at each time.
  const bool tiny = Shape::leaf_spans < 16;
  if (tiny || dice_.chance(5)) replica.document.check_invariants();
  // Half of the time nobody looks: looking ends bursts, and these must also be right when they
  // last.
  if (dice_.chance(50)) return;
  if (const std::string what = difference(replica.document, replica.judge); !what.empty()) {
    return fail(what);
  }
  if (!replica.mirror.shows(replica.judge.text())) fail("the patches do not give the text");
}

template <class Shape>
void Network<Shape>::settle_everybody() {
  hear_everything();
  for (Replica& replica : replicas_) {
    if (failed()) return;
    replica.document.check_invariants();
    if (const std::string what = difference(replica.document, replica.judge); !what.empty()) {
      return fail("at the end: " + what);
    }
    if (!replica.mirror.shows(replica.judge.text())) {
      return fail("at the end: the patches do not give the text");
    }
    if (replica.document.state_hash() != replicas_[0].document.state_hash() ||
        replica.document.version() != replicas_[0].document.version() ||
        replica.document.text() != replicas_[0].document.text()) {
      return fail("replicas with the same operations differ");
    }
  }
}

template class Network<DefaultShape>;
template class Network<TinyShape>;

}  // namespace weft::rga::property

#include "app/replay_readers.h"

#include <optional>

#include "app/replay_clock.h"
#include "app/replay_memory.h"
#include "app/replay_plain_text.h"

namespace weft::app {
namespace {

constexpr std::uint64_t edits_at_once = 256;  // as many as an editor takes in one transaction

/// Milliseconds of `work(document)` on a fresh document.
template <class Work>
double timed(Work work) {
  rga::Document document;
  const double begin = cpu_ms();
  work(document);
  return cpu_ms() - begin;
}

void apply_each(rga::Document& document, std::string_view log) {
  rga::OpReader reader(log);
  rga::Operation op;
  while (reader.next(op)) document.apply(op);
}

template <class Each>
void with_patches(rga::Document& document, std::string_view log, Each each) {
  rga::PatchList list;
  rga::OpReader reader(log);
  std::uint64_t read = edits_at_once;
  while (read == edits_at_once) {
    read = document.apply(reader, &list, edits_at_once).operations;
    for (const rga::Patch& patch : list.patches) each(patch);
    list.patches.clear();
  }
}

}  // namespace

std::string apply_stream(rga::Document& document, std::string_view stream) {
  rga::OpReader reader(stream);
  const rga::ApplyOutcome outcome = document.apply(reader).outcome;
  if (outcome == rga::ApplyOutcome::applied) return {};
  return "an operation was refused: " + std::string(rga::to_string(outcome));
}

ReplayForms::ReplayForms(const Trace& trace, CoreReplay& replay) : replay_(replay) {
  collect_edits(trace);
  check_floor();
  check_patches();
  check_rows();
  check_state();
}

/// The history as edits of one text: as it was recorded if one person made it, otherwise as an
/// editor sees it that hears of everything in the order of the log.
void ReplayForms::collect_edits(const Trace& trace) {
  if (!trace.concurrent) {
    for (const TracePatch& patch : trace.patches) {
      edits_.add(patch.at, patch.erased, trace.text_of(patch));
    }
    return;
  }
  rga::Document document;
  with_patches(document, replay_.played.log, [this](const rga::Patch& patch) {
    edits_.add(patch.at, patch.erased, patch.inserted);
  });
}

void ReplayForms::check_floor() {
  std::string written;
  std::string read;
  double unused = 0;
  messages_ = write_floor(edits_, written, unused);
  const bool good = read_floor(messages_, read, unused);
  if (!good || written != replay_.played.text || read != written) {
    blame("the floor", "it holds another text");
  }
}

void ReplayForms::check_patches() {
  rga::Document document;
  PlainText editor;
  bool good = true;
  with_patches(document, replay_.played.log, [&](const rga::Patch& patch) {
    good = good && editor.splice(patch.at, patch.erased, patch.inserted);
  });
  if (!good || editor.utf8() != replay_.played.text) blame("the editor", "it holds another text");
  compare("the replica that gives patches", document);
}

void ReplayForms::check_rows() {
  rows_ = to_rows(replay_.played.log);
  replay_.figures.operations = rows_.operations;
  replay_.figures.rows = rows_.count;
  rga::Document document;
  const std::string problem = apply_stream(document, rows_.stream);
  if (!problem.empty()) blame("the replica from run rows", problem);
  compare("the replica from run rows", document);

  const auto packed = pack_history(rows_.stream);
  if (!packed.ok()) return blame("the packed history", packed.error().message);
  replay_.figures.history_bytes = packed->size();
  const auto unpacked = unpack_history(*packed, 16 * rows_.stream.size() + 256);
  if (!unpacked.ok()) return blame("the packed history", unpacked.error().message);
  if (*unpacked != rows_.stream) blame("the packed history", "it holds other rows");
}

void ReplayForms::check_state() {
  rga::Document remote;
  const std::string problem = apply_stream(remote, replay_.played.log);
  if (!problem.empty()) blame("the remote replica", problem);
  compare("the remote replica", remote);
  rga::Document each;
  apply_each(each, replay_.played.log);
  compare("the remote replica of single operations", each);
  remote.save(saved_);
  replay_.figures.state_bytes = saved_.size();
  const auto loaded = rga::Document::load(saved_);
  if (!loaded.ok()) return blame("the saved state", loaded.error().message);
  compare("the loaded state", *loaded);
  replay_.figures.elements = loaded->element_count();
  std::optional<Result<rga::Document>> counted;
  replay_.figures.memory_bytes =
      heap_growth([&] { counted.emplace(rga::Document::load(saved_)); }, [&] { counted.reset(); });
}

void ReplayForms::time_floor_write(CoreFigures& figures) const {
  std::string end;
  write_floor(edits_, end, figures.floor_write_ms);
}

void ReplayForms::time_readers(CoreFigures& figures) const {
  const std::string_view log = replay_.played.log;
  std::string end;
  read_floor(messages_, end, figures.floor_read_ms);
  figures.remote_ms = timed([&](rga::Document& document) { apply_stream(document, log); });
  figures.remote_each_ms = timed([&](rga::Document& document) { apply_each(document, log); });
  figures.patches_ms = timed(
      [&](rga::Document& document) { with_patches(document, log, [](const rga::Patch&) {}); });
  figures.replay_rows_ms =
      timed([&](rga::Document& document) { apply_stream(document, rows_.stream); });

  double begin = cpu_ms();
  const auto loaded = rga::Document::load(saved_);
  const std::string text = loaded.ok() ? loaded->text() : std::string();
  figures.load_ms = cpu_ms() - begin;
  if (!loaded.ok()) return;
  std::string saved;
  begin = cpu_ms();
  loaded->save(saved);
  figures.save_ms = cpu_ms() - begin;
}

void ReplayForms::compare(std::string_view who, const rga::Document& document) {
  if (document.text() != replay_.played.text) blame(who, "it holds another text");
  if (document.state_hash() != replay_.played.state_hash) blame(who, "it holds another state");
}

void ReplayForms::blame(std::string_view who, const std::string& problem) {
  if (replay_.problem.empty()) replay_.problem = std::string(who) + ": " + problem;
}

}  // namespace weft::app

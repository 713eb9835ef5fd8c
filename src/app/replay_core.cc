#include "app/replay_core.h"

#include <time.h>

#include <optional>
#include <string_view>
#include <utility>

#include "app/replay_plain_text.h"
#include "rga/document.h"

namespace weft::app {
namespace {

double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

/// What kept a replica from taking a stream; empty: nothing did.
std::string apply_stream(rga::Document& document, std::string_view stream) {
  rga::OpReader reader(stream);
  rga::Operation op;
  while (reader.next(op)) {
    const rga::ApplyOutcome outcome = document.apply(op);
    if (outcome != rga::ApplyOutcome::applied) {
      return "an operation was refused: " + std::string(rga::to_string(outcome));
    }
  }
  return reader.failed() ? "an operation could not be decoded" : "";
}

/// Plays the history with one replica per author.
class Players {
 public:
  Players(const Trace& trace, const TracePlan& plan, CoreReplay& out)
      : trace_(trace), plan_(plan), out_(out), replicas_(plan.authors), has_(plan.authors) {
    for (std::uint32_t i = 0; i < plan.authors; ++i) {
      replicas_[i].set_local_site(i + 1);
      has_[i].resize(plan.stretches.size());
    }
  }

  Status play() {
    for (std::uint32_t i = 0; i < plan_.stretches.size(); ++i) {
      const TraceStretch& stretch = plan_.stretches[i];
      for (const std::uint32_t need : plan_.needs_of(stretch)) learn(stretch.author, need);
      Status status = edit(i);
      if (!status.ok()) return status;
    }
    merge();
    out_.played.log = log_.take();
    return ok_status();
  }

 private:
  Status edit(std::uint32_t i) {
    const TraceStretch& stretch = plan_.stretches[i];
    rga::Document& replica = replicas_[stretch.author];
    has_[stretch.author][i] = true;
    PlayedStretch played;
    played.log_offset = log_.bytes().size();
    played.sum_before = replica.sum();
    log_.cut();
    const double begin = cpu_ms();
    for (std::size_t t = 0; t < stretch.transaction_count; ++t) {
      const std::size_t number = stretch.first_transaction + t;
      for (const TracePatch& patch : trace_.patches_of(trace_.transactions[number])) {
        const rga::EditOutcome outcome = make(replica, patch);
        if (outcome != rga::EditOutcome::done) return refuse(number, patch, replica, outcome);
      }
    }
    out_.figures.local_ms += cpu_ms() - begin;
    played.log_bytes = log_.bytes().size() - played.log_offset;
    played.last_seq = replica.seq_of(stretch.author + 1);
    out_.played.stretches.push_back(played);
    return ok_status();
  }

  rga::EditOutcome make(rga::Document& replica, const TracePatch& patch) {
    if (patch.erased != 0) {
      const auto outcome = replica.erase({patch.at}, patch.erased, &log_);
      if (outcome != rga::EditOutcome::done) return outcome;
    } else if (patch.at > replica.length()) {
      return rga::EditOutcome::out_of_range;
    }
    if (patch.inserted == 0) return rga::EditOutcome::done;
    return replica.insert({patch.at}, trace_.text_of(patch), &log_);
  }

  Status refuse(std::size_t number, const TracePatch& patch, const rga::Document& replica,
                rga::EditOutcome outcome) const {
    const bool has_start = trace_.edits < trace_.patches.size();
    const std::string place = "txns[" + std::to_string(number - (has_start ? 1 : 0)) + "]";
    if (outcome == rga::EditOutcome::document_full) {
      return Error{ErrorClass::too_large, "trace_too_large", place + ": the document is full"};
    }
    return Error{ErrorClass::invalid, "bad_trace",
                 place + ": at " + std::to_string(patch.at) + ", " + std::to_string(patch.erased) +
                     " deleted, lies outside of a text of " + std::to_string(replica.length())};
  }

  void learn(std::uint32_t author, std::uint32_t stretch) {
    if (has_[author][stretch]) return;
    has_[author][stretch] = true;
    const PlayedStretch& played = out_.played.stretches[stretch];
    const std::string problem =
        apply_stream(replicas_[author], log_.bytes().substr(played.log_offset, played.log_bytes));
    if (!problem.empty()) blame("author " + std::to_string(author) + ": " + problem);
  }

  void merge() {
    for (std::uint32_t author = 0; author < plan_.authors; ++author) {
      for (std::uint32_t i = 0; i < plan_.stretches.size(); ++i) learn(author, i);
      const std::string text = replicas_[author].text();
      const std::uint64_t hash = replicas_[author].state_hash();
      if (author == 0) {
        out_.played.text = text;
        out_.played.state_hash = hash;
        out_.played.sum = replicas_[author].sum();
      } else if (text != out_.played.text || hash != out_.played.state_hash) {
        blame("author " + std::to_string(author) + " ends with another state than author 0");
      }
    }
    if (plan_.authors == 0) out_.played.state_hash = rga::Document().state_hash();
  }

  void blame(std::string problem) {
    if (out_.problem.empty()) out_.problem = std::move(problem);
  }

  const Trace& trace_;
  const TracePlan& plan_;
  CoreReplay& out_;
  std::vector<rga::Document> replicas_;
  std::vector<std::vector<bool>> has_;  // by author, by stretch
  rga::OpWriter log_;
};

/// The operations of a stream as run rows: as few as continues_run allows.
struct Rows {
  std::string stream;
  std::size_t count = 0;
  std::size_t operations = 0;
};

Rows to_rows(std::string_view log) {
  Rows rows;
  rga::OpWriter out;
  rga::Operation row;
  std::string text;
  const auto flush = [&] {
    if (row.len == 0) return;
    row.text = text;
    out.append(row);
    ++rows.count;
  };
  rga::OpReader reader(log);
  rga::Operation op;
  while (reader.next(op)) {
    ++rows.operations;
    if (row.len != 0 && rga::continues_run(row, op)) {
      row.kind = rga::merged_kind(row, op);
      row.len += op.len;
      text.append(op.text);
      continue;
    }
    flush();
    row = op;
    text = op.text;
  }
  flush();
  rows.stream = out.take();
  return rows;
}

/// Replicas that only read, each in its own way.
class Readers {
 public:
  explicit Readers(CoreReplay& out) : out_(out) {}

  void read() {
    const std::string& log = out_.played.log;
    rga::Document remote;
    out_.figures.remote_ms = timed_apply("the remote replica", remote, log);
    read_patches(log);
    const Rows rows = to_rows(log);
    out_.figures.operations = rows.operations;
    out_.figures.rows = rows.count;
    out_.figures.history_bytes = rows.stream.size();
    rga::Document from_rows;
    out_.figures.replay_rows_ms = timed_apply("the replica from run rows", from_rows, rows.stream);
    save_and_load(remote);
  }

 private:
  double timed_apply(std::string_view who, rga::Document& document, std::string_view stream) {
    const double begin = cpu_ms();
    const std::string problem = apply_stream(document, stream);
    const double spent = cpu_ms() - begin;
    if (!problem.empty()) blame(who, problem);
    compare(who, document);
    return spent;
  }

  void read_patches(std::string_view log) {
    rga::PatchList list;
    {
      rga::Document document;
      rga::OpReader reader(log);
      rga::Operation op;
      const double begin = cpu_ms();
      while (reader.next(op)) {
        list.patches.clear();
        document.apply(op, &list);
      }
      out_.figures.patches_ms = cpu_ms() - begin;
      compare("the replica that gives patches", document);
    }
    rga::Document document;
    PlainText editor;
    rga::OpReader reader(log);
    rga::Operation op;
    while (reader.next(op)) {
      list.patches.clear();
      document.apply(op, &list);
      for (const rga::Patch& patch : list.patches) {
        if (!editor.splice(patch.at, patch.erased, patch.inserted)) {
          return blame("the editor", "a patch lies outside of its text");
        }
      }
    }
    if (editor.utf8() != out_.played.text) blame("the editor", "it holds another text");
  }

  void save_and_load(const rga::Document& document) {
    std::string saved;
    double begin = cpu_ms();
    document.save(saved);
    out_.figures.save_ms = cpu_ms() - begin;
    out_.figures.state_bytes = saved.size();
    begin = cpu_ms();
    auto loaded = rga::Document::load(saved);
    const std::string text = loaded.ok() ? loaded->text() : std::string();
    out_.figures.load_ms = cpu_ms() - begin;
    if (!loaded.ok()) return blame("the saved state", loaded.error().message);
    if (text != out_.played.text) blame("the loaded state", "it holds another text");
    compare("the loaded state", *loaded);
    out_.figures.elements = loaded->element_count();
    out_.figures.memory_bytes = loaded->memory_bytes();
  }

  void compare(std::string_view who, const rga::Document& document) {
    if (document.text() != out_.played.text) blame(who, "it holds another text");
    if (document.state_hash() != out_.played.state_hash) blame(who, "it holds another state");
  }

  void blame(std::string_view who, const std::string& problem) {
    if (out_.problem.empty()) out_.problem = std::string(who) + ": " + problem;
  }

  CoreReplay& out_;
};

}  // namespace

Result<CoreReplay> replay_in_core(const Trace& trace, const TracePlan& plan) {
  CoreReplay replay;
  Status status = Players(trace, plan, replay).play();
  if (!status.ok()) return status.error();
  if (replay.problem.empty()) Readers(replay).read();
  replay.converged = replay.problem.empty();
  if (replay.problem.empty() && replay.played.text != trace.end_content) {
    replay.problem = "all replicas agree, but not on the recorded endContent";
  }
  return replay;
}

}  // namespace weft::app

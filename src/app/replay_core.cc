#include "app/replay_core.h"

#include <utility>

#include "app/replay_clock.h"
#include "app/replay_readers.h"
#include "app/replay_report.h"
#include "rga/document.h"

namespace weft::app {
namespace {

/// Plays the history with one replica per author.
class Players {
 public:
  Players(const Trace& trace, const TracePlan& plan, CoreReplay& out)
      : trace_(trace),
        plan_(plan),
        out_(out),
        replicas_(plan.authors),
        has_(plan.authors),
        timer_(plan.stretches.size()) {
    for (std::uint32_t i = 0; i < plan.authors; ++i) {
      replicas_[i].set_local_site(i + 1);
      has_[i].resize(plan.stretches.size());
    }
  }

  /// `thorough`: everybody merges with everybody in the end, and all is compared.
  Status play(bool thorough) {
    for (std::uint32_t i = 0; i < plan_.stretches.size(); ++i) {
      const TraceStretch& stretch = plan_.stretches[i];
      for (const std::uint32_t need : plan_.needs_of(stretch)) learn(stretch.author, need);
      Status status = edit(i);
      if (!status.ok()) return status;
    }
    out_.figures.local_ms = timer_.sum_ms();
    if (!thorough) return ok_status();
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
    // The stretch as a list of edits, as the floor has it: the time is that of editing, not of
    // walking through the trace.
    edits_.clear();
    for (std::size_t t = 0; t < stretch.transaction_count; ++t) {
      for (const TracePatch& patch :
           trace_.patches_of(trace_.transactions[stretch.first_transaction + t])) {
        edits_.push_back({patch.at, patch.erased, trace_.text_of(patch)});
      }
    }
    timer_.begin();
    rga::EditOutcome outcome = rga::EditOutcome::done;
    std::size_t made = 0;
    while (made < edits_.size() && outcome == rga::EditOutcome::done) {
      outcome = make(replica, edits_[made++]);
    }
    timer_.end();
    if (outcome != rga::EditOutcome::done) return refuse(stretch, made - 1, replica, outcome);
    played.log_bytes = log_.bytes().size() - played.log_offset;
    played.last_seq = replica.seq_of(stretch.author + 1);
    out_.played.stretches.push_back(played);
    return ok_status();
  }

  struct Edit {
    std::uint32_t at;
    std::uint32_t erased;
    std::string_view inserted;
  };

  rga::EditOutcome make(rga::Document& replica, const Edit& edit) {
    if (edit.erased != 0) {
      const auto outcome = replica.erase({edit.at}, edit.erased, &log_);
      if (outcome != rga::EditOutcome::done) return outcome;
    }
    if (!edit.inserted.empty()) return replica.insert({edit.at}, edit.inserted, &log_);
    // Nothing at all must lie within the text, too.
    return edit.erased != 0 || edit.at <= replica.length() ? rga::EditOutcome::done
                                                           : rga::EditOutcome::out_of_range;
  }

  /// `patch`: its number in the stretch.
  Status refuse(const TraceStretch& stretch, std::size_t patch_number, const rga::Document& replica,
                rga::EditOutcome outcome) const {
    std::size_t number = stretch.first_transaction;
    while (patch_number >= trace_.transactions[number].patch_count) {
      patch_number -= trace_.transactions[number++].patch_count;
    }
    const TracePatch& patch = trace_.patches_of(trace_.transactions[number])[patch_number];
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
  std::vector<Edit> edits_;             // of one stretch
  rga::OpWriter log_;
  StretchTimer timer_;
};

}  // namespace

Result<CoreReplay> replay_in_core(const Trace& trace, const TracePlan& plan, int runs) {
  CoreReplay replay;
  Status status = Players(trace, plan, replay).play(true);
  if (!status.ok()) return status.error();
  const bool agreed = replay.problem.empty();
  const ReplayForms forms(trace, replay);
  std::vector<CoreFigures> figures;
  for (int run = 0; run < runs && replay.problem.empty(); ++run) {
    CoreReplay again;
    again.figures = replay.figures;
    forms.time_floor_write(again.figures);
    if (status = Players(trace, plan, again).play(false); !status.ok()) return status.error();
    forms.time_readers(again.figures);
    figures.push_back(again.figures);
  }
  if (!figures.empty()) replay.figures = median_of(figures);
  replay.converged = agreed && replay.problem.empty();
  if (replay.problem.empty() && replay.played.text != trace.end_content) {
    replay.problem = "all replicas agree, but not on the recorded endContent";
  }
  return replay;
}

}  // namespace weft::app

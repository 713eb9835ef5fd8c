#include "app/replay.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "app/exit_code.h"
#include "app/replay_core.h"
#include "app/replay_report.h"
#include "app/replay_server.h"
#include "app/system_ports.h"
#include "app/trace.h"
#include "app/trace_plan.h"

namespace weft::app {
namespace {

std::string base_name(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// What the document on the server is called: a title must be short and UTF-8, a file's name need
/// not.
std::string title_of(const std::string& path) {
  std::string title = "replay of " + base_name(path).substr(0, 100);
  std::replace_if(
      title.begin(), title.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return title;
}

constexpr int runs_for_programs = 11;

int runs_of(const ReplayOptions& options) {
  if (options.runs != 0) return options.runs;
  return options.json && options.server.empty() ? runs_for_programs : 1;
}

class FileReplay {
 public:
  FileReplay(const ReplayOptions& options, const std::optional<ServerTarget>& target,
             const std::string& path)
      : options_(options), target_(target), path_(path) {
    report_.file = base_name(path);
    report_.runs = runs_of(options);
  }

  ReplayReport run() {
    Status status = play();
    if (!status.ok()) blame(status.error().message);
    if (!server_.empty()) report_.server = median_of(server_);
    return std::move(report_);
  }

 private:
  Status play() {
    auto trace = read_trace(path_);
    if (!trace.ok()) return trace.error();
    auto plan = plan_trace(*trace);
    if (!plan.ok()) return plan.error();
    report_.concurrent = trace->concurrent;
    report_.edits = trace->edits;
    report_.authors = plan->authors;
    report_.transactions = trace->transactions.size();
    auto core = replay_in_core(*trace, *plan, report_.runs);
    if (!core.ok()) return core.error();
    report_.text_bytes = core->played.text.size();
    report_.core = core->figures;
    // Where the core does not reach the recorded text, a server cannot be asked to; but its clients
    // must still agree, and that is worth knowing too.
    if (!core->problem.empty()) blame("core: " + core->problem);
    if (!target_ || !core->converged) return ok_status();
    for (int i = 0; i < report_.runs; ++i) play_on_server(*trace, *plan, *core);
    return ok_status();
  }

  void play_on_server(const Trace& trace, const TracePlan& plan, const CoreReplay& core) {
    SystemRandom random;
    ServerReplay server = replay_on_server(*target_, title_of(path_), trace, plan, core, random);
    server_.push_back(server.figures);
    if (target_->keep) report_.document_id = std::move(server.document_id);
    if (!server.problem.empty()) blame("server: " + server.problem);
  }

  void blame(const std::string& problem) {
    if (report_.problem.empty()) report_.problem = problem;
  }

  const ReplayOptions& options_;
  const std::optional<ServerTarget>& target_;
  const std::string& path_;
  ReplayReport report_;
  std::vector<ServerFigures> server_;
};

int refuse(const std::string& message) {
  std::fprintf(stderr, "weft replay: %s\n", message.c_str());
  return exit_usage;
}

}  // namespace

int run_replay(const ReplayOptions& options) {
  if (options.files.empty()) return refuse("name at least one file");
  if (options.runs < 0) return refuse("--runs must not be negative");
  std::optional<ServerTarget> target;
  if (!options.server.empty()) {
    auto url = ServerUrl::parse(options.server);
    if (!url.ok()) return refuse(url.error().message);
    target = ServerTarget{std::move(url).value(), options.keep};
  }
  std::size_t name_width = 0;
  for (const std::string& path : options.files) {
    name_width = std::max(name_width, base_name(path).size());
  }
  bool all_ok = true;
  for (const std::string& path : options.files) {
    const ReplayReport report = FileReplay(options, target, path).run();
    all_ok = all_ok && report.problem.empty();
    std::fputs((options.json ? to_json(report) : to_text(report, name_width)).c_str(), stdout);
    std::fflush(stdout);
  }
  return all_ok ? exit_done : exit_failed;
}

}  // namespace weft::app

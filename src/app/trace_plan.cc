#include "app/trace_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace weft::app {
namespace {

/// How many transactions of each branch a version contains; branches that are not listed: none.
using Version = std::vector<std::uint32_t>;

std::uint32_t known(const Version& version, std::size_t branch) {
  return branch < version.size() ? version[branch] : 0;
}

void merge(Version& into, const Version& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}

/// One author: transactions of one agent, each made on a version that contains the one before.
struct Branch {
  std::uint32_t agent = 0;
  std::vector<std::size_t> transactions;
  std::vector<bool> cut_after;  // another author knew exactly so much
  Version seen;                 // the version of the last transaction, itself included
};

/// What a transaction's author had to learn before it: of `branch`, everything below `until`.
struct Pull {
  std::uint32_t branch;
  std::uint32_t from;
  std::uint32_t until;
};

class Planner {
 public:
  explicit Planner(const Trace& trace)
      : trace_(trace),
        versions_(trace.transactions.size()),
        children_(trace.transactions.size()),
        branch_of_(trace.transactions.size()),
        pulls_of_(trace.transactions.size() + 1),
        branches_of_agent_(trace.agents) {}

  Result<TracePlan> plan() {
    for (const std::uint32_t parent : trace_.parents) ++children_[parent];
    for (std::size_t i = 0; i < trace_.transactions.size(); ++i) {
      place(i);
      if (trace_.transactions.size() > max_plan_size / branches_.size()) {
        return Error{ErrorClass::too_large, "trace_too_large",
                     "too many branches: " + std::to_string(branches_.size()) + " after " +
                         std::to_string(i + 1) + " transactions"};
      }
    }
    pulls_of_.back() = pulls_.size();
    cut();
    return std::move(plan_);
  }

 private:
  /// Finds the branch of transaction i, and what it adds to what the branch knows.
  void place(std::size_t i) {
    Version version = version_before(i);
    const std::uint32_t branch = branch_for(trace_.transactions[i].agent, version);
    Branch& own = branches_[branch];
    pulls_of_[i] = pulls_.size();
    for (std::size_t other = 0; other < version.size(); ++other) {
      const std::uint32_t from = known(own.seen, other);
      if (version[other] <= from || other == branch) continue;
      pulls_.push_back({static_cast<std::uint32_t>(other), from, version[other]});
      branches_[other].cut_after[version[other] - 1] = true;
    }
    own.transactions.push_back(i);
    own.cut_after.push_back(false);
    if (version.size() <= branch) version.resize(branch + 1);
    ++version[branch];
    own.seen = version;
    branch_of_[i] = branch;
    if (children_[i] > 0) versions_[i] = std::move(version);
  }

  /// The union of the parents. A version is moved out of its last child's hands, so that only as
  /// many are kept as there are open ends.
  Version version_before(std::size_t i) {
    Version version;
    for (const std::uint32_t parent : trace_.parents_of(trace_.transactions[i])) {
      const bool last = --children_[parent] == 0;
      if (version.empty() && last) {
        version = std::move(versions_[parent]);
      } else {
        merge(version, versions_[parent]);
        if (last) Version().swap(versions_[parent]);
      }
    }
    return version;
  }

  std::uint32_t branch_for(std::uint32_t agent, const Version& version) {
    for (const std::uint32_t branch : branches_of_agent_[agent]) {
      if (known(version, branch) == branches_[branch].transactions.size()) return branch;
    }
    const auto fresh = static_cast<std::uint32_t>(branches_.size());
    branches_.push_back({agent, {}, {}, {}});
    branches_of_agent_[agent].push_back(fresh);
    return fresh;
  }

  void cut() {
    std::vector<std::uint32_t> order(branches_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return branches_[a].agent < branches_[b].agent;
    });
    std::vector<std::uint32_t> author_of(branches_.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) author_of[order[i]] = i;

    plan_.authors = static_cast<std::uint32_t>(branches_.size());
    std::vector<std::uint32_t> done(branches_.size());         // transactions of each branch
    std::vector<std::uint32_t> stretch_of(branch_of_.size());  // by transaction
    for (std::size_t i = 0; i < branch_of_.size(); ++i) {
      const std::uint32_t branch = branch_of_[i];
      const bool goes_on = i > 0 && branch_of_[i - 1] == branch &&
                           pulls_of_[i] == pulls_of_[i + 1] &&
                           !branches_[branch].cut_after[done[branch] - 1];
      if (!goes_on) {
        plan_.stretches.push_back({author_of[branch], i, 0, plan_.needs.size(), 0});
        for (std::size_t k = pulls_of_[i]; k < pulls_of_[i + 1]; ++k) {
          add_needs(pulls_[k], stretch_of);
        }
        TraceStretch& stretch = plan_.stretches.back();
        stretch.need_count = plan_.needs.size() - stretch.first_need;
        std::sort(plan_.needs.end() - static_cast<std::ptrdiff_t>(stretch.need_count),
                  plan_.needs.end());
      }
      ++plan_.stretches.back().transaction_count;
      stretch_of[i] = static_cast<std::uint32_t>(plan_.stretches.size() - 1);
      ++done[branch];
    }
  }

  /// The stretches that make up a pull: its borders are borders of stretches.
  void add_needs(const Pull& pull, const std::vector<std::uint32_t>& stretch_of) {
    const std::vector<std::size_t>& transactions = branches_[pull.branch].transactions;
    std::uint32_t last = UINT32_MAX;
    for (std::uint32_t k = pull.from; k < pull.until; ++k) {
      const std::uint32_t stretch = stretch_of[transactions[k]];
      if (stretch != last) plan_.needs.push_back(stretch);
      last = stretch;
    }
  }

  const Trace& trace_;
  std::vector<Version> versions_;  // of transactions with children to come
  std::vector<std::uint32_t> children_;
  std::vector<std::uint32_t> branch_of_;  // by transaction
  std::vector<Pull> pulls_;
  std::vector<std::size_t> pulls_of_;  // by transaction: where its pulls begin
  std::vector<Branch> branches_;
  std::vector<std::vector<std::uint32_t>> branches_of_agent_;
  TracePlan plan_;
};

}  // namespace

Result<TracePlan> plan_trace(const Trace& trace) { return Planner(trace).plan(); }

}  // namespace weft::app

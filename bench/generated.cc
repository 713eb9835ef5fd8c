#include "bench/generated.h"

#include <algorithm>
#include <deque>
#include <string>

#include "base/check.h"
#include "rga/document.h"

namespace weft::bench {
namespace {

void integrate(rga::Document& document, std::string_view stream) {
  rga::OpReader reader(stream);
  rga::Operation op;
  while (reader.next(op)) WEFT_CHECK(document.apply(op) == rga::ApplyOutcome::applied);
}

void edit(rga::Document& document, const Typist::Patch& patch, std::string_view text,
          rga::OpWriter* out) {
  if (patch.erased > 0) {
    WEFT_CHECK(document.erase({patch.at}, patch.erased, out) == rga::EditOutcome::done);
  }
  if (patch.inserted > 0) {
    WEFT_CHECK(document.insert({patch.at}, text, out) == rga::EditOutcome::done);
  }
}

app::TraceTransaction transaction(const app::Trace& trace, std::uint32_t agent) {
  return {agent, trace.patches.size() - 1, 1, trace.parents.size(), 0};
}

}  // namespace

Typist::Patch Typist::next(std::uint32_t length, std::string& text) {
  if (caret_ > length || dice_.below(40) == 0) caret_ = dice_.below(length + 1);
  const std::uint32_t what = dice_.below(1000);
  if (what < 160 && caret_ > 0) {
    --caret_;
    return {caret_, 1, 0};
  }
  if (what < 165 && caret_ < length)
    return {caret_, 1 + dice_.below(std::min(30u, length - caret_)), 0};
  const std::uint32_t count = what > 997 ? 20 + dice_.below(200) : 1;
  for (std::uint32_t i = 0; i < count; ++i) text.push_back(dice_.letter());
  const std::uint32_t at = caret_;
  caret_ += count;
  return {at, 0, count};
}

app::Trace typing_history(std::size_t edits, std::uint64_t seed) {
  app::Trace trace;
  Typist typist(seed);
  rga::Document document;
  document.set_local_site(1);
  for (std::size_t i = 0; i < edits; ++i) {
    const std::size_t from = trace.text_pool.size();
    const Typist::Patch patch = typist.next(document.length(), trace.text_pool);
    const std::size_t bytes = trace.text_pool.size() - from;
    edit(document, patch, std::string_view(trace.text_pool).substr(from), nullptr);
    trace.patches.push_back({patch.at, patch.erased, patch.inserted, from, bytes});
    app::TraceTransaction made = transaction(trace, 0);
    if (i > 0) {
      made.parent_count = 1;
      trace.parents.push_back(static_cast<std::uint32_t>(i - 1));
    }
    trace.transactions.push_back(made);
  }
  trace.edits = edits;
  trace.end_content = document.text();
  return trace;
}

app::Trace concurrent_history(std::uint32_t authors, std::size_t edits, std::uint64_t seed) {
  struct Author {
    rga::Document document;
    Typist typist;
    std::vector<std::uint32_t> heads;  // what its version is made of
    std::size_t known = 0;             // transactions of the others, as a prefix of all
  };
  app::Trace trace;
  trace.concurrent = true;
  trace.agents = authors;
  Dice dice(seed);
  std::deque<Author> all;
  for (std::uint32_t i = 0; i < authors; ++i) {
    all.push_back({rga::Document(), Typist(seed * 1000 + i), {}, 0});
    all.back().document.set_local_site(i + 1);
  }
  std::vector<std::string> streams;
  std::vector<std::uint32_t> heads;  // of everything
  const auto learn_all = [&](std::uint32_t i) {
    Author& author = all[i];
    for (; author.known < streams.size(); ++author.known) {
      if (trace.transactions[author.known].agent != i) {
        integrate(author.document, streams[author.known]);
      }
    }
    author.heads = heads;
  };
  while (trace.patches.size() < edits) {
    const std::uint32_t who = dice.below(authors);
    if (dice.chance(50)) learn_all(who);
    Author& author = all[who];
    for (std::uint32_t burst = 1 + dice.below(20); burst > 0; --burst) {
      const auto number = static_cast<std::uint32_t>(trace.transactions.size());
      const std::size_t from = trace.text_pool.size();
      const Typist::Patch patch = author.typist.next(author.document.length(), trace.text_pool);
      const std::size_t bytes = trace.text_pool.size() - from;
      rga::OpWriter out;
      edit(author.document, patch, std::string_view(trace.text_pool).substr(from), &out);
      streams.push_back(out.take());
      trace.patches.push_back({patch.at, patch.erased, patch.inserted, from, bytes});
      app::TraceTransaction made = transaction(trace, who);
      made.parent_count = author.heads.size();
      trace.parents.insert(trace.parents.end(), author.heads.begin(), author.heads.end());
      trace.transactions.push_back(made);
      std::erase_if(heads,
                    [&](std::uint32_t head) { return std::ranges::count(author.heads, head); });
      heads.push_back(number);
      author.heads = {number};
    }
  }
  learn_all(0);
  trace.edits = trace.patches.size();
  trace.end_content = all[0].document.text();
  return trace;
}

}  // namespace weft::bench

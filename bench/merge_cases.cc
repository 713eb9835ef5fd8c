#include "bench/merge_cases.h"

#include <algorithm>
#include <utility>

#include "app/replay_clock.h"
#include "app/replay_floor.h"
#include "base/check.h"
#include "bench/generated.h"
#include "rga/document.h"

namespace weft::bench {
namespace {

using rga::Document;

constexpr int runs = 11;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// A replica that worked offline: what it has said, in two parts.
struct Site {
  explicit Site(std::uint64_t sid) { document.set_local_site(sid); }
  Document document;
  rga::OpWriter out;
};

void integrate(Document& document, std::string_view stream) {
  rga::OpReader reader(stream);
  WEFT_CHECK(document.apply(reader).outcome == rga::ApplyOutcome::applied);
}

std::size_t count_operations(std::string_view stream) {
  std::size_t count = 0;
  rga::OpReader reader(stream);
  rga::Operation op;
  while (reader.next(op)) ++count;
  return count;
}

/// What an editor is told of the merge, to be the floor's work; before it comes the whole text.
app::FlatHistory as_edits(Document& document, std::string_view stream) {
  app::FlatHistory edits;
  rga::PatchList list;
  rga::OpReader reader(stream);
  rga::Operation op;
  while (reader.next(op)) {
    list.patches.clear();
    document.apply(op, &list);
    for (const rga::Patch& patch : list.patches) edits.add(patch.at, patch.erased, patch.inserted);
  }
  return edits;
}

/// The floor reads the merge's messages onto a text that is there already: less the time of reading
/// that text alone.
double floor_ms(const std::string& text, const app::FlatHistory& merge, const std::string& expected,
                std::string& problem) {
  app::FlatHistory base;
  base.add(0, 0, text);
  app::FlatHistory all = base;
  for (const app::FlatEdit& edit : merge.edits) {
    all.add(edit.at, edit.erased,
            std::string_view(merge.text).substr(edit.text_offset, edit.text_bytes));
  }
  std::string end;
  double unused = 0;
  double base_ms = 0;
  double all_ms = 0;
  app::read_floor(app::write_floor(base, end, unused), end, base_ms);
  app::read_floor(app::write_floor(all, end, unused), end, all_ms);
  if (end != expected) problem = "the floor holds another text";
  return std::max(all_ms - base_ms, 0.0);
}

/// Two replicas built by `build(mine, other)`: the time that `mine` takes for what `other` said.
template <class Build>
MergeFigures measure_merge(std::string name, Build build) {
  MergeFigures figures{std::move(name), 0, runs, 0, 0, std::nullopt, ""};
  std::vector<double> times;
  std::vector<double> floors;
  std::string before;
  app::FlatHistory edits;
  for (int i = 0; i < runs; ++i) {
    Site mine(1);
    Site other(2);
    build(mine, other);
    if (i == 0) {
      Site copy(1);
      Site unused(2);
      build(copy, unused);
      before = copy.document.text();
      edits = as_edits(copy.document, other.out.bytes());
      figures.operations = count_operations(other.out.bytes());
    }
    const double begin = app::cpu_ms();
    integrate(mine.document, other.out.bytes());
    times.push_back(app::cpu_ms() - begin);
    const std::string text = mine.document.text();
    floors.push_back(floor_ms(before, edits, text, figures.problem));
    integrate(other.document, mine.out.bytes());
    if (other.document.state_hash() != mine.document.state_hash()) figures.problem = "they differ";
  }
  figures.ms = median(times);
  figures.min_ms = *std::ranges::min_element(times);
  figures.floor_ms = median(floors);
  return figures;
}

/// Both begin with the same text, which nobody has to be told of later.
void begin_with(Site& mine, Site& other, std::string_view stream) {
  integrate(mine.document, stream);
  integrate(other.document, stream);
}

void type(Site& site, std::size_t edits, std::uint64_t seed) {
  Typist typist(seed);
  for (std::size_t i = 0; i < edits; ++i) {
    std::string text;
    const Typist::Patch patch = typist.next(site.document.length(), text);
    if (patch.erased > 0) site.document.erase({patch.at}, patch.erased, &site.out);
    if (patch.inserted > 0) site.document.insert({patch.at}, text, &site.out);
  }
}

MergeFigures both_prepend() {
  return measure_merge("both prepend 40,000 characters", [](Site& mine, Site& other) {
    for (int i = 0; i < 40'000; ++i) {
      mine.document.insert({0}, "a", &mine.out);
      other.document.insert({0}, "b", &other.out);
    }
  });
}

MergeFigures branch_into_long() {
  Site writer(3);
  type(writer, 130'000, 1);
  const std::string first_half(writer.out.bytes());
  return measure_merge("20,000 edits into the second half of 260,000",
                       [&](Site& mine, Site& other) {
                         begin_with(mine, other, first_half);
                         type(mine, 130'000, 2);
                         type(other, 20'000, 3);
                       });
}

MergeFigures large_branches() {
  Dice dice(5);
  std::string text;
  for (int i = 0; i < 200'000; ++i) text.push_back(dice.letter());
  Site writer(3);
  writer.document.insert({0}, text, &writer.out);
  const std::string base(writer.out.bytes());
  const auto bursts = [](Site& site, std::uint64_t seed) {
    Dice draw(seed);
    for (int typed = 0; typed < 50'000;) {
      const std::uint32_t at = draw.below(site.document.length() - 50);
      const std::uint32_t length = 1 + draw.below(30);
      for (std::uint32_t i = 0; i < length && typed < 50'000; ++i, ++typed) {
        site.document.insert({at + i}, "x", &site.out);
      }
      if (draw.below(3) == 0) site.document.erase({at}, 1 + draw.below(20), &site.out);
    }
  };
  return measure_merge("two branches of 50,000 on 200,000 characters",
                       [&](Site& mine, Site& other) {
                         begin_with(mine, other, base);
                         bursts(mine, 7);
                         bursts(other, 8);
                       });
}

/// Local and remote. A gap buffer would move megabytes for each: there is no floor.
std::pair<MergeFigures, MergeFigures> random_characters() {
  constexpr std::size_t count = 1'000'000;
  MergeFigures local{"random single characters, local", count, runs, 0, 0, std::nullopt, ""};
  MergeFigures remote{"random single characters, remote", count, runs, 0, 0, std::nullopt, ""};
  std::vector<double> local_ms;
  std::vector<double> remote_ms;
  for (int run = 0; run < runs; ++run) {
    Dice dice(9);
    std::vector<std::uint32_t> places(count);
    for (std::uint32_t i = 0; i < count; ++i) places[i] = dice.below(i + 1);
    Site site(1);
    double begin = app::cpu_ms();
    for (const std::uint32_t at : places) site.document.insert({at}, "x", &site.out);
    local_ms.push_back(app::cpu_ms() - begin);
    Document reader;
    begin = app::cpu_ms();
    integrate(reader, site.out.bytes());
    remote_ms.push_back(app::cpu_ms() - begin);
    if (run == 0 && reader.state_hash() != site.document.state_hash()) {
      remote.problem = "they differ";
    }
  }
  local.min_ms = *std::ranges::min_element(local_ms);
  local.ms = median(std::move(local_ms));
  remote.min_ms = *std::ranges::min_element(remote_ms);
  remote.ms = median(std::move(remote_ms));
  return {local, remote};
}

}  // namespace

void measure_merge_cases(const std::function<void(const MergeFigures&)>& done) {
  done(both_prepend());
  done(branch_into_long());
  done(large_branches());
  const auto [local, remote] = random_characters();
  done(local);
  done(remote);
}

}  // namespace weft::bench

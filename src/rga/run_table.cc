#include "rga/run_table.h"

#include <algorithm>

#include "base/check.h"

namespace weft::rga {
std::uint32_t RunTable::search_site(std::uint64_t sid) const {
  const auto it = std::lower_bound(by_sid_.begin(), by_sid_.end(), sid,
                                   [](const BySid& e, std::uint64_t s) { return e.sid < s; });
  if (it == by_sid_.end() || it->sid != sid) return none;
  return site_hint_ = it->index;
}

std::uint32_t RunTable::intern_site(std::uint64_t sid) {
  const std::uint32_t known = find_site(sid);
  if (known != none) return known;
  WEFT_CHECK(sites_.size() < max_sites);
  const auto index = static_cast<std::uint32_t>(sites_.size());
  sites_.push_back({sid, 0, 0, {}});
  const auto it = std::lower_bound(by_sid_.begin(), by_sid_.end(), sid,
                                   [](const BySid& e, std::uint64_t s) { return e.sid < s; });
  by_sid_.insert(it, {sid, index});
  return site_hint_ = index;
}

VersionVector RunTable::version() const {
  VersionVector version;
  for (const BySid& entry : by_sid_) version.set(entry.sid, sites_[entry.index].seq);
  return version;
}

void RunTable::append(std::uint32_t site, std::uint64_t seq, std::uint64_t sum, std::uint32_t ei,
                      std::uint32_t len) {
  if (!runs_.empty()) {
    Run& last = runs_.back();
    if (last.site() == site && last.ei + last.len == ei && last.seq + last.len == seq &&
        last.sum + last.len == sum) {
      last.len += len;
      return;
    }
  }
  sites_[site].runs.push_back(static_cast<std::uint32_t>(runs_.size()));
  runs_.push_back(make_run(site, seq, sum, ei, len));
}

void RunTable::renumber(std::uint32_t ei, std::uint32_t new_ei) {
  const Run old = at(ei);
  const auto place = std::lower_bound(runs_.begin(), runs_.end(), old.ei,
                                      [](const Run& run, std::uint32_t e) { return run.ei < e; });
  const auto index = static_cast<std::uint32_t>(place - runs_.begin());
  const std::uint32_t before = ei - old.ei;
  const std::uint32_t after = old.len - before - 1;
  const auto part = [&](std::uint32_t from, std::uint32_t len, std::uint32_t at_ei) {
    return make_run(old.site(), old.seq + from, old.sum + from, at_ei, len);
  };
  // The site's list, which ascends in seq: before, the element, after.
  std::vector<std::uint32_t>& list = sites_[old.site()].runs;
  const auto entry = list.erase(std::find(list.begin(), list.end(), index)) - list.begin();
  // In place of the old run stand none, one or two.
  std::vector<Run> left;
  if (before > 0) left.push_back(part(0, before, old.ei));
  if (after > 0) left.push_back(part(before + 1, after, ei + 1));
  runs_.insert(runs_.erase(place), left.begin(), left.end());
  for (Site& site : sites_) {
    for (std::uint32_t& run : site.runs) {
      if (run > index) run += static_cast<std::uint32_t>(left.size()) - 1;
    }
  }
  std::vector<std::uint32_t> names;
  if (before > 0) names.push_back(index);
  names.push_back(static_cast<std::uint32_t>(runs_.size()));
  if (after > 0) names.push_back(index + (before > 0 ? 1 : 0));
  list.insert(list.begin() + entry, names.begin(), names.end());
  // Not push_back: with a second caller the compiler would not inline it where every edit goes.
  runs_.insert(runs_.end(), part(before, 1, new_ei));
  hint_ = hint_before_ = 0;
}

const Run& RunTable::search_at(std::uint32_t ei) const {
  const Run* first = runs_.data();
  if (const Run& before = runs_[hint_before_]; ei - before.ei < before.len) {
    first = &before;
  } else if (ei >= runs_.back().ei) {
    first = &runs_.back();
  } else if (hint_ > 0 && ei - runs_[hint_ - 1].ei < runs_[hint_ - 1].len) {
    first += hint_ - 1;
  } else {
    for (std::size_t len = runs_.size(); len > 1;) {
      const std::size_t half = len / 2;
      first += first[half].ei <= ei ? half : 0;
      len -= half;
    }
  }
  remember(static_cast<std::uint32_t>(first - runs_.data()));
  return *first;
}

RunTable::Found RunTable::search(std::uint32_t site, std::uint64_t seq) const {
  const std::vector<std::uint32_t>& list = sites_[site].runs;
  if (list.empty()) return {};
  if (const Run& last = runs_[hint_before_]; last.site() == site && seq - last.seq < last.len) {
    remember(hint_before_);
    return {&last, static_cast<std::uint32_t>(seq - last.seq)};
  }
  if (hint_ > 0) {  // what was asked for just after it
    const Run& before = runs_[hint_ - 1];
    if (before.site() == site && seq - before.seq < before.len) {
      return {&before, static_cast<std::uint32_t>(seq - runs_[--hint_].seq)};
    }
  }
  const std::uint32_t* first = list.data();
  if (const std::uint32_t newest = list.back(); seq >= runs_[newest].seq) {
    first = &list.back();
  } else {
    for (std::size_t len = list.size(); len > 1;) {
      const std::size_t half = len / 2;
      first += runs_[first[half]].seq <= seq ? half : 0;
      len -= half;
    }
  }
  const Run& run = runs_[*first];
  if (seq - run.seq >= run.len) return {};  // below the first run wraps to a huge number
  remember(*first);
  return {&run, static_cast<std::uint32_t>(seq - run.seq)};
}

std::size_t RunTable::memory_bytes() const {
  std::size_t bytes = runs_.capacity() * sizeof(Run) + sites_.capacity() * sizeof(Site) +
                      by_sid_.capacity() * sizeof(BySid);
  for (const Site& site : sites_) bytes += site.runs.capacity() * sizeof(std::uint32_t);
  return bytes;
}

}  // namespace weft::rga

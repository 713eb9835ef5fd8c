// How answers tell who wrote: beside the sites that they name, a table of those whose author is
// known. docs/API.md describes it.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <vector>

#include "collab/author.h"

namespace weft::server {

/// {"user", "name", "kind"}; without "user" where nobody was known.
boost::json::object author_json(const collab::Author& author);
/// By site, as text: {"7": {…}}.
boost::json::object authors_json(const std::vector<collab::SiteAuthor>& authors);

/// The sites of `all`, each once.
template <class Range, class Sid>
std::vector<std::uint64_t> sids_of(const Range& all, Sid sid) {
  std::vector<std::uint64_t> sids;
  sids.reserve(all.size());
  for (const auto& one : all) sids.push_back(sid(one));
  std::sort(sids.begin(), sids.end());
  sids.erase(std::unique(sids.begin(), sids.end()), sids.end());
  return sids;
}

}  // namespace weft::server

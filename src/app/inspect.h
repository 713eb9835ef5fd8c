// `weft fsck` and `weft stats`: what looks at a whole database and changes nothing.
#pragma once

#include "app/store_choice.h"

namespace weft::app {

struct InspectOptions {
  StoreOptions store;  // a database file may stand for a directory
  bool json = false;
};
struct FsckOptions : InspectOptions {};
struct StatsOptions : InspectOptions {};

/// 0: nothing was found; 1: damage, a line for each finding on stdout; 2: it could not be read.
int run_fsck(const FsckOptions& options);
int run_stats(const StatsOptions& options);

}  // namespace weft::app

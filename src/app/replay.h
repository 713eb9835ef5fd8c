// `weft replay`: plays recorded editing histories (trace.h) through the core, or through a running
// server with one real connection per author, and checks the text that comes out. main calls it
// with what the command line said; everything that it has to say goes to standard output and error.
#pragma once

#include <string>
#include <vector>

namespace weft::app {

struct ReplayOptions {
  /// "http://HOST:PORT" of a running server; empty: the core only.
  std::string server;
  /// One JSON object a line instead of a table.
  bool json = false;
  /// Each file is played so often; figures are medians. 0: once for people; often enough for a
  /// median when programs read the figures, but for a server's.
  int runs = 0;
  /// With a server: leave the documents there.
  bool keep = false;
  std::vector<std::string> files;
};

/// The exit code: 0 when every file ended as it should, 1 otherwise, 2 for options that make no
/// sense.
int run_replay(const ReplayOptions& options);

}  // namespace weft::app

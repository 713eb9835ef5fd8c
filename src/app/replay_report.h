// What a replay has to say, for people and for programs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "app/replay_core.h"
#include "app/replay_server.h"

namespace weft::app {

/// One file's result. With several runs, each figure is the median of its own.
struct ReplayReport {
  std::string file;
  std::string problem;  // empty: as it should be
  int runs = 1;
  bool concurrent = false;
  std::size_t edits = 0;  // 0 when the file could not be read
  std::size_t transactions = 0;
  std::size_t authors = 0;
  std::size_t text_bytes = 0;
  std::optional<CoreFigures> core;      // nothing when the file could not be read
  std::optional<ServerFigures> server;  // nothing without a server
  std::string document_id;              // on the server, when it was kept
};

CoreFigures median_of(const std::vector<CoreFigures>& runs);
ServerFigures median_of(const std::vector<ServerFigures>& runs);

/// One line of JSON, with its line feed.
std::string to_json(const ReplayReport& report);

/// One line, or two if there is a problem. `name_width` aligns the lines of several files.
std::string to_text(const ReplayReport& report, std::size_t name_width);

}  // namespace weft::app

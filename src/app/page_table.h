// The page as the build embedded it. The definition is written by cmake/embed_assets.cmake.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "server/assets.h"

namespace weft::app {

/// Empty when the page was not built before the program.
std::span<const server::Asset> page_table();

}  // namespace weft::app

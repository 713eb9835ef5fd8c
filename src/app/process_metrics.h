// What Prometheus expects of every process, and which build this is.
#pragma once

#include <cstddef>

#include "metrics/registry.h"

namespace weft::app {

/// Call at start: the process's age is counted from now.
void add_process_metrics(metrics::Registry& registry);

/// Of the process; 0 when the system does not tell.
std::size_t resident_bytes();

}  // namespace weft::app

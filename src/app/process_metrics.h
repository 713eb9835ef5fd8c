// What Prometheus expects of every process, and which build this is.
#pragma once

#include "metrics/registry.h"

namespace weft::app {

/// Call at start: the process's age is counted from now.
void add_process_metrics(metrics::Registry& registry);

}  // namespace weft::app

// What the bus counts. Without a registry nothing is counted.
#pragma once

#include "metrics/instruments.h"
#include "metrics/registry.h"

namespace weft::bus {

struct BusMetrics {
  BusMetrics() = default;
  explicit BusMetrics(metrics::Registry& registry);

  metrics::CounterRef published;   // messages that a service took
  metrics::CounterRef sends;       // requests that carried them
  metrics::CounterRef heard;       // messages of others and, on some buses, our own
  metrics::CounterRef rejected;    // heard, and not from a server of this database
  metrics::CounterRef malformed;   // heard, and not in the form of this adapter
  metrics::CounterRef queue_full;  // dropped: came faster than they could be sent
  metrics::CounterRef too_large;   // dropped: above max_message_bytes
  metrics::CounterRef unsent;      // given up: the service refused, or went away meanwhile
  metrics::CounterRef losses;      // of the connection to the service
  metrics::GaugeRef connected;     // 1 while it hears
};

}  // namespace weft::bus

#include "bus/bus_metrics.h"

namespace weft::bus {
namespace {

metrics::Counter& dropped(metrics::Registry& registry, const char* reason) {
  return registry.counter("weft_bus_dropped_total",
                          "Messages between servers that were dropped, by reason",
                          {{"reason", reason}});
}

}  // namespace

BusMetrics::BusMetrics(metrics::Registry& registry)
    : published(registry.counter("weft_bus_published_total",
                                 "Messages to other servers that the bus took")),
      sends(registry.counter("weft_bus_sends_total", "Requests that carried them")),
      heard(registry.counter("weft_bus_heard_total", "Messages heard on the bus")),
      rejected(dropped(registry, "rejected")),
      malformed(dropped(registry, "malformed")),
      queue_full(dropped(registry, "queue_full")),
      too_large(dropped(registry, "too_large")),
      unsent(dropped(registry, "unsent")),
      losses(registry.counter("weft_bus_losses_total", "Times the connection to the bus was lost")),
      connected(registry.gauge("weft_bus_connected", "1 while this server hears the bus")) {}

}  // namespace weft::bus

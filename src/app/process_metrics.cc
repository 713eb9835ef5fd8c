#include "app/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "app/version.h"

namespace weft::app {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double open_descriptors() {
  std::error_code ignored;
  std::filesystem::directory_iterator each("/proc/self/fd", ignored);
  double count = 0;
  for (; !ignored && each != std::filesystem::directory_iterator(); each.increment(ignored)) {
    ++count;
  }
  return count;
}

double max_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

/// /proc/self/statm: pages of the whole address space, then those in memory.
std::size_t resident_bytes() {
  std::size_t size = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void add_process_metrics(metrics::Registry& registry) {
  using namespace std::chrono;
  const double start = duration<double>(system_clock::now().time_since_epoch()).count();
  registry.gauge_of("process_start_time_seconds", "When it started, since 1970-01-01 UTC.",
                    [start] { return start; });
  registry.counter_of("process_cpu_seconds_total", "User and system time.", cpu_seconds);
  registry.gauge_of("process_resident_memory_bytes", "Memory in use.",
                    [] { return static_cast<double>(resident_bytes()); });
  registry.gauge_of("process_open_fds", "Open file descriptors.", open_descriptors);
  registry.gauge_of("process_max_fds", "As many as may be open.", max_descriptors);
  registry
      .gauge("weft_build_info", "Always 1; the labels say which build this is.",
             {{"version", version}, {"build_type", build_type}})
      .set(1);
}

}  // namespace weft::app

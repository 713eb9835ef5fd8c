#include "app/serve.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <future>
#include <thread>

#include "access/key_set.h"
#include "app/exit_code.h"
#include "app/heap_trimmer.h"
#include "app/page_table.h"
#include "app/process_metrics.h"
#include "app/stderr_log.h"
#include "app/system_ports.h"
#include "app/version.h"
#include "server/event_loop.h"
#include "server/listen_address.h"
#include "server/server.h"

namespace weft::app {
namespace {

// Documents are unloaded half a minute after their last reader: what that leaves is looked at as
// often.
constexpr std::chrono::seconds trim_distance{30};
// Who starts this program waits for its URL, and may call at once. A database that was there a
// moment ago tells within a few ms what the server must know; one that went away just now is waited
// for so long, and then it is better to say where the server is than to say nothing.
constexpr std::chrono::seconds ready_limit{10};
constexpr std::chrono::milliseconds ready_distance{2};

int fail(const Error& error) {
  std::fprintf(stderr, "weft: %s\n", error.message.c_str());
  return exit_code_for(error);
}

/// Every connection is a file descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// SIGTERM and SIGINT are taken by the main thread with sigtimedwait; a second one ends the process
/// at once. REQUIRES: called before any thread starts, so that all of them inherit the mask.
class Signals {
 public:
  Signals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stop_);
    sigaddset(&stop_, SIGTERM);
    sigaddset(&stop_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop_, nullptr);
  }
  /// Meanwhile calls `each_time` at that distance.
  template <class EachTime>
  void wait(std::chrono::seconds distance, EachTime each_time) const {
    const timespec timeout{distance.count(), 0};
    while (sigtimedwait(&stop_, nullptr, &timeout) < 0) {
      if (errno == EAGAIN) each_time();
    }
  }
  /// Whether one comes within that time.
  bool come_within(std::chrono::milliseconds time) const {
    const timespec timeout{time.count() / 1'000, time.count() % 1'000 * 1'000'000};
    return sigtimedwait(&stop_, nullptr, &timeout) > 0;
  }
  /// From now on a signal does what it does to any program.
  void let_go() const {
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &stop_, nullptr);
  }

 private:
  sigset_t stop_{};
};

Result<server::ListenAddress> checked_address(const ServeOptions& options) {
  auto address = server::ListenAddress::parse(options.listen);
  if (!address) return address;
  if (const Status good = check_access(options.access, *address); !good) return good.error();
  return address;
}

std::size_t loop_count(std::size_t asked) {
  if (asked > 0) return asked;
  return std::max(1u, std::thread::hardware_concurrency());
}

/// Waits until the server is ready, or until it is time to announce it all the same. False when a
/// signal came.
bool wait_until_ready(const server::Server& server, const Signals& signals, Log& log) {
  const auto deadline = std::chrono::steady_clock::now() + ready_limit;
  while (!server.is_ready()) {
    if (std::chrono::steady_clock::now() > deadline) {
      log.write(LogLevel::warning, "not_ready",
                "the database has not told yet which tokens were revoked: until it does, nobody is "
                "let in, and /readyz answers 503");
      return true;
    }
    if (signals.come_within(ready_distance)) return false;
  }
  return true;
}

void announce(const server::ListenAddress& address, std::uint16_t port, bool is_encrypted) {
  std::printf("Weft is at %s://%s:%u/\n", is_encrypted ? "https" : "http",
              address.url_host().c_str(), unsigned{port});
  std::fflush(stdout);
}

}  // namespace

Status check_serve(const ServeOptions& options) {
  if (const auto address = checked_address(options); !address) return address.error();
  if (const auto choice = choose_store(options.store); !choice) return choice.error();
  if (Status good = check_replication(options.replication, *choose_store(options.store)); !good) {
    return good.error();
  }
  if (!options.access.keys.empty()) {
    if (const auto keys = access::KeySet::load(options.access.keys); !keys) return keys.error();
  }
  return ok_status();
}

int run_serve(const ServeOptions& options) {
  auto address = checked_address(options);
  if (!address) return fail(address.error());
  auto choice = choose_store(options.store);
  if (!choice) return fail(choice.error());
  if (const Status good = check_replication(options.replication, *choice); !good) {
    return fail(good.error());
  }

  const Signals signals;
  raise_descriptor_limit();
  SystemClock clock;
  SystemRandom random;
  const std::unique_ptr<Log> log = make_stderr_log(options.log_level, options.log_format);
  auto tokens = token_keys(options.access, *log);
  if (!tokens) return fail(tokens.error());
  const bool is_open = !tokens->read;
  metrics::Registry registry;
  add_process_metrics(registry);

  // Each outlives what is declared after it: metrics > loops > store > bus > server.
  server::EventLoops loops(loop_count(options.threads));
  auto store = open_store(*choice, clock, *log);
  if (!store) return fail(store.error());
  auto replication =
      set_up_replication(options.replication, *choice, *address, **store, *log, registry);
  if (!replication) return fail(replication.error());
  server::ServerConfig config;
  config.replica_id = replication->replica_id;
  config.bus_name = replication->bus_name;
  config.author = replication->author;
  config.first_ssn = replication->first_ssn;
  config.listen = *address;
  config.version = version;
  config.tokens = std::move(*tokens);
  config.tls = options.access.tls;
  config.origins = origins_of(options.access);
  config.proxies = *server::TrustedProxies::parse(options.access.trusted_proxies);
  config.page = page_table();
  config.page_directory = options.page_directory;
  config.purge_after_ms = options.purge_after_ms;
  config.drain_timeout_ms = options.drain_timeout_ms;
  config.access_log = options.access_log;
  auto server = server::Server::open(std::move(config),
                                     {clock, random, *log, *store.value(), *store.value(),
                                      *store.value(), *store.value(), registry, replication->ports},
                                     loops);
  if (!server) return fail(server.error());

  loops.start();
  log->write(LogLevel::info, "serving",
             choice->describe() + " with " + std::to_string(loops.size()) + " loop(s)");
  if (is_open) {
    log->write(LogLevel::warning, "open",
               "no --key: everybody who reaches this address may read, edit and delete everything");
  }
  if (wait_until_ready(*server.value(), signals, *log)) {
    announce(*address, server.value()->port(), options.access.tls.is_given());
    HeapTrimmer heap;
    signals.wait(trim_distance, [&heap] { heap.trim_if_due(); });
  }
  signals.let_go();
  server.value()->announce_drain();
  if (options.drain_delay_ms > 0) {
    log->write(LogLevel::info, "draining", "not ready any more; serving until the delay is over");
    std::this_thread::sleep_for(std::chrono::milliseconds(options.drain_delay_ms));
  }
  log->write(LogLevel::info, "stopping", "finishing what is under way");
  std::promise<void> drained;
  server.value()->drain([&drained] { drained.set_value(); });
  drained.get_future().wait();
  loops.stop();
  replication->bus.reset();  // it calls the server
  server.value().reset();
  store.value().reset();
  log->write(LogLevel::info, "stopped", "");
  return exit_done;
}

}  // namespace weft::app

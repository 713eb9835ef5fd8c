// load_bench --port P... --pid PID... --typists N (--rate R | --in-flight K) --seconds S
// DOCUMENT...: types into documents over real sockets and prints one JSON line: propagation,
// acknowledgement, what the server's process has used meanwhile. Typists are spread over the
// documents evenly.
// `./dev bench server` calls it.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <queue>
#include <random>

#include "bench/load/typist.h"

namespace weft::bench {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t warm_up_ns = 2 * second_ns;
constexpr std::int64_t join_limit_ns = 60 * second_ns;

struct Options {
  std::vector<std::uint16_t> ports;  // of servers that share a database; typists alternate
  std::vector<int> pids;
  std::size_t typists = 10;
  double rate = 0;            // characters a second, each
  std::size_t in_flight = 0;  // instead of a rate
  double seconds = 10;
  std::vector<std::string> documents;
};

int connect_to(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("load_bench: connect");
    std::exit(1);
  }
  const int yes = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return descriptor;
}

/// Processor time of all threads of a process, in nanoseconds.
std::int64_t cpu_ns(int pid) {
  std::int64_t total = 0;
  std::error_code ec;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, ec)) {
    std::ifstream in(task.path() / "schedstat");
    std::int64_t on_cpu = 0;
    if (in >> on_cpu) total += on_cpu;
  }
  return total;
}

double resident_mb(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0;
  in >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

float quantile(std::vector<float>& values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), poll_(epoll_create1(0)) {
    rooms_.resize(options_.documents.size());
    std::mt19937_64 random(20261123);
    for (std::size_t i = 0; i < options_.typists; ++i) {
      const std::size_t room = i % rooms_.size();
      typists_.emplace_back(connect_to(options_.ports[i / rooms_.size() % options_.ports.size()]),
                            rooms_[room], figures_, Uuid::from_random(random(), random()));
      typists_.back().ask_for(options_.documents[room]);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(poll_, EPOLL_CTL_ADD, typists_.back().stream().descriptor(), &event);
      flush(i);
    }
  }

  void run() {
    const double before_mb = over_all(resident_mb);
    join();
    const std::int64_t start = now_ns();
    plan(start);
    figures_.from_ns = start + warm_up_ns;
    figures_.to_ns = figures_.from_ns + static_cast<std::int64_t>(options_.seconds * 1e9);
    turn_until(figures_.from_ns);
    const std::int64_t cpu_before = over_all(cpu_ns);
    turn_until(figures_.to_ns);
    const std::int64_t cpu = over_all(cpu_ns) - cpu_before;
    const double mb = over_all(resident_mb);
    const std::uint64_t delivered = figures_.delivered;
    const std::uint64_t acknowledged = figures_.acknowledged;
    is_over_ = true;
    turn_until(now_ns() + second_ns);  // the last answers count for the waits
    const double operations = static_cast<double>(std::max<std::uint64_t>(figures_.sent, 1));
    std::printf(
        "{\"typists\":%zu,\"documents\":%zu,\"operations\":%llu,\"acknowledged\":%llu,"
        "\"delivered\":%llu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"ack_p50_ms\":%.3f,\"ack_p99_ms\":%."
        "3f,"
        "\"cpu_us_per_operation\":%.1f,\"delivered_per_cpu_s\":%.0f,\"cpu_share\":%.2f,"
        "\"rss_mb\":%.1f,\"kb_per_connection\":%.1f}\n",
        options_.typists, rooms_.size(), static_cast<unsigned long long>(figures_.sent),
        static_cast<unsigned long long>(acknowledged), static_cast<unsigned long long>(delivered),
        double{quantile(figures_.waits_ms, 0.5)}, double{quantile(figures_.waits_ms, 0.99)},
        double{quantile(figures_.acks_ms, 0.5)}, double{quantile(figures_.acks_ms, 0.99)},
        static_cast<double>(cpu) / 1e3 / operations,
        static_cast<double>(delivered) / (static_cast<double>(cpu) / 1e9),
        static_cast<double>(cpu) / 1e9 / options_.seconds, mb,
        (mb - before_mb) * 1024 / static_cast<double>(options_.typists));
  }

 private:
  /// The sum over the servers.
  template <class T>
  T over_all(T (*measure)(int)) const {
    T sum{};
    for (const int pid : options_.pids) sum += measure(pid);
    return sum;
  }

  void join() {
    const std::int64_t give_up = now_ns() + join_limit_ns;
    while (!std::all_of(typists_.begin(), typists_.end(),
                        [](const Typist& typist) { return typist.is_joined(); })) {
      if (now_ns() > give_up) fail("not everybody was welcomed");
      turn(10);
    }
  }

  /// Who types when: each at the same pace, all at another moment.
  void plan(std::int64_t start) {
    if (options_.rate <= 0) {
      for (std::size_t i = 0; i < typists_.size(); ++i) top_up(i);
      return;
    }
    const double gap = 1e9 / options_.rate;
    for (std::size_t i = 0; i < typists_.size(); ++i) {
      const double offset = gap * static_cast<double>(i) / static_cast<double>(typists_.size());
      due_.emplace(start + static_cast<std::int64_t>(offset), i);
    }
  }

  void turn_until(std::int64_t end) {
    while (now_ns() < end) {
      int wait_ms = 1;
      while (!is_over_ && !due_.empty() && due_.top().first <= now_ns()) {
        const auto [at, i] = due_.top();
        due_.pop();
        typists_[i].type();
        flush(i);
        due_.emplace(at + static_cast<std::int64_t>(1e9 / options_.rate), i);
        wait_ms = 0;
      }
      turn(wait_ms);
    }
  }

  void turn(int wait_ms) {
    epoll_event events[256];
    const int count = epoll_wait(poll_, events, 256, wait_ms);
    for (int k = 0; k < count; ++k) {
      const std::size_t i = events[k].data.u64;
      if (!typists_[i].receive()) fail(typists_[i].refusal());
      if (options_.rate <= 0 && typists_[i].is_joined() && figures_.from_ns > 0 && !is_over_) {
        top_up(i);
      } else {
        flush(i);
      }
    }
  }

  void top_up(std::size_t i) {
    while (typists_[i].in_flight() < options_.in_flight) typists_[i].type();
    flush(i);
  }

  void flush(std::size_t i) {
    // What does not fit the socket goes with the next turn: the server reads, or this is no
    // benchmark.
    if (!typists_[i].stream().flush()) fail("a connection was closed");
  }

  [[noreturn]] static void fail(const std::string& why) {
    std::fprintf(stderr, "load_bench: %s\n", why.c_str());
    std::exit(1);
  }

  Options options_;
  int poll_;
  Figures figures_;
  bool is_over_ = false;
  std::deque<Room> rooms_;
  std::deque<Typist> typists_;
  using Due = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  weft::bench::Options options;
  CLI::App app("Types into documents over real sockets", "load_bench");
  app.add_option("--port", options.ports, "Several: servers of one database")->required();
  app.add_option("--pid", options.pids)->required();
  app.add_option("--typists", options.typists);
  app.add_option("--rate", options.rate);
  app.add_option("--in-flight", options.in_flight);
  app.add_option("--seconds", options.seconds);
  app.add_option("DOCUMENT", options.documents)->required();
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  weft::bench::Load(std::move(options)).run();
}

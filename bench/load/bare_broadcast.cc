// bare_broadcast PORT: the floor of `./dev bench server`. It speaks just enough of the protocol for
// the same load generator, hands every push to the others in the room and acknowledges it: no CRDT,
// no checks, no storage. Prints "ready" when it listens; ends when its stdin does.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/codec.h"
#include "bench/load/frames.h"
#include "wire/messages.h"

namespace weft::bench {
namespace {

struct Room;

struct Client {
  explicit Client(int descriptor) : stream(descriptor) {}
  FrameStream stream;
  Room* room = nullptr;
  std::uint64_t sid = 0;
  std::uint64_t seq = 0;
  std::uint64_t acked = 0;
  bool waits_to_write = false;
};

struct Room {
  std::vector<Client*> clients;
  std::uint64_t index = 0;
};

class Broadcast {
 public:
  explicit Broadcast(std::uint16_t port) : poll_(epoll_create1(0)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(listener_, 4096) != 0) {
      std::perror("bare_broadcast");
      std::exit(1);
    }
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
    watch(0, EPOLLIN, EPOLL_CTL_ADD);
  }

  void run() {
    std::puts("ready");
    std::fflush(stdout);
    for (;;) {
      epoll_event events[256];
      const int count = epoll_wait(poll_, events, 256, -1);
      for (int i = 0; i < count; ++i) {
        const int descriptor = events[i].data.fd;
        if (descriptor == 0) return;
        if (descriptor == listener_) {
          accept_all();
        } else if (const auto found = clients_.find(descriptor); found != clients_.end()) {
          serve(*found->second);
        }
      }
      // As a good server does: one send for everything that this turn brought.
      for (const int descriptor : dirty_) {
        if (const auto found = clients_.find(descriptor); found != clients_.end()) {
          flush(*found->second);
        }
      }
      dirty_.clear();
    }
  }

 private:
  void watch(int descriptor, std::uint32_t events, int how) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    epoll_ctl(poll_, how, descriptor, &event);
  }

  void accept_all() {
    for (;;) {
      const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (descriptor < 0) return;
      const int yes = 1;
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
      clients_[descriptor] = std::make_unique<Client>(descriptor);
      watch(descriptor, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void serve(Client& client) {
    if (!client.stream.fill()) return drop(client);
    if (client.room == nullptr && !greet(client)) return;
    std::string_view message;
    std::string forwarded;
    std::uint64_t count = 0;
    const std::uint64_t first = client.room->index + 1;
    while (client.stream.next(message)) {
      if (message[0] == static_cast<char>(wire::Kind::hello)) {
        say_welcome(client);
      } else if (message[0] == static_cast<char>(wire::Kind::push)) {
        ByteReader in(message.substr(1));
        in.varint_max(UINT64_MAX);
        forwarded += in.rest();
        ++count;
      }
    }
    if (count > 0) broadcast(client, first, count, forwarded);
    dirty_.push_back(client.stream.descriptor());
  }

  void broadcast(Client& author, std::uint64_t first, std::uint64_t count,
                 const std::string& operations) {
    author.room->index += count;
    author.seq += count;  // the generator pushes one element at a time
    const std::string rows = wire::encode(wire::Operations{first, count, operations});
    for (Client* other : author.room->clients) {
      if (other == &author) continue;
      other->stream.queue(rows, false);
      dirty_.push_back(other->stream.descriptor());
    }
    author.stream.queue(wire::encode(wire::Ack{author.seq, author.room->index, false}), false);
  }

  bool greet(Client& client) {
    const std::string head = client.stream.take_head();
    if (head.empty()) return false;
    const std::string path = head.substr(0, head.find(" HTTP"));
    client.room = &rooms_[path];
    client.sid = client.room->clients.size() + 1;
    client.room->clients.push_back(&client);
    client.stream.queue_raw(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    dirty_.push_back(client.stream.descriptor());
    return true;
  }

  void say_welcome(Client& client) {
    wire::Welcome welcome;
    welcome.session = welcome.sid = client.sid;
    welcome.ssn = 1;
    welcome.heartbeat_ms = 600'000;
    client.stream.queue(wire::encode(welcome), false);
  }

  void flush(Client& client) {
    if (!client.stream.flush()) return drop(client);
    if (client.stream.has_output() == client.waits_to_write) return;
    client.waits_to_write = !client.waits_to_write;
    watch(client.stream.descriptor(), client.waits_to_write ? EPOLLIN | EPOLLOUT : EPOLLIN,
          EPOLL_CTL_MOD);
  }

  void drop(Client& client) {
    if (client.room != nullptr) std::erase(client.room->clients, &client);
    const int descriptor = client.stream.descriptor();
    ::close(descriptor);
    clients_.erase(descriptor);
  }

  int poll_;
  int listener_;
  std::map<int, std::unique_ptr<Client>> clients_;
  std::map<std::string, Room> rooms_;
  std::vector<int> dirty_;
};

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  weft::bench::Broadcast(static_cast<std::uint16_t>(std::atoi(argv[1]))).run();
}

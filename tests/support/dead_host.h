// A host that is no use to anybody, on a loopback port: what a client meets whose database failed
// over, or lies behind a network that is cut.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace weft::test {

class DeadHost {
 public:
  enum class Kind : unsigned char {
    refuses,   // nobody listens there
    swallows,  // what is sent there gets no answer, not even a line comes to be
    is_mute,   // takes connections, and says nothing
  };

  explicit DeadHost(Kind kind) : listener_(make_socket()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, any, size), 0);
    EXPECT_EQ(::getsockname(listener_, any, &size), 0);
    port_ = ntohs(address.sin_port);
    if (kind == Kind::refuses) return;  // bound, so nobody else listens there either
    EXPECT_EQ(::listen(listener_, kind == Kind::swallows ? 0 : 64), 0);
    if (kind == Kind::is_mute) return;
    // A queue of no length holds one; from then on the kernel drops who asks for a connection.
    filler_ = make_socket();
    EXPECT_EQ(::connect(filler_, any, size), 0);
  }
  ~DeadHost() {
    ::close(listener_);
    if (filler_ >= 0) ::close(filler_);
  }
  DeadHost(const DeadHost&) = delete;
  DeadHost& operator=(const DeadHost&) = delete;

  std::string port() const { return std::to_string(port_); }

 private:
  static int make_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

  int listener_;
  int filler_ = -1;
  unsigned port_ = 0;
};

inline constexpr DeadHost::Kind all_dead_hosts[] = {
    DeadHost::Kind::refuses, DeadHost::Kind::swallows, DeadHost::Kind::is_mute};

}  // namespace weft::test

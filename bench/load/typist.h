// One connection of the load generator: it types after its own last character, keeps the base and
// the sum that the server will ask for, and notes when which character left and when others got it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/uuid.h"
#include "bench/load/frames.h"
#include "rga/op_codec.h"
#include "wire/messages.h"

namespace weft::bench {

class Typist;

/// What all typists measure together.
struct Figures {
  std::int64_t from_ns = 0;  // characters sent before do not count
  std::int64_t to_ns = INT64_MAX;
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t delivered = 0;
  std::vector<float> waits_ms;  // of each delivery
  std::vector<float> acks_ms;   // of each acknowledgement

  bool counts(std::int64_t sent_ns) const { return sent_ns >= from_ns && sent_ns < to_ns; }
};

/// One document's typists, by site.
struct Room {
  std::unordered_map<std::uint64_t, Typist*> by_site;
};

class Typist {
 public:
  Typist(int descriptor, Room& room, Figures& figures, const ClientId& client)
      : stream_(descriptor), room_(room), figures_(figures), client_(client) {}

  FrameStream& stream() { return stream_; }
  void ask_for(const std::string& document);
  bool is_joined() const { return is_joined_; }
  std::uint64_t in_flight() const { return seq_ - acked_; }

  /// Queues one more character as a push of its own.
  void type();
  /// What has arrived. False when the server has hung up or refused.
  bool receive();
  /// Why receive() said false.
  const std::string& refusal() const { return refusal_; }

 private:
  bool take(std::string_view message);
  void take_operations(const wire::Operations& message);
  void take_ack(const wire::Ack& message);
  void heard_of(std::uint64_t sid, std::uint64_t first_seq, std::uint32_t count);

  FrameStream stream_;
  Room& room_;
  Figures& figures_;
  ClientId client_;
  bool upgraded_ = false;
  bool is_joined_ = false;
  std::uint64_t sid_ = 0;
  std::uint64_t ssn_ = 0;
  std::uint64_t seq_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t others_ = 0;           // elements of others' operations that were applied
  std::vector<std::int64_t> sent_ns_;  // by seq - 1
  std::string refusal_;
};

}  // namespace weft::bench

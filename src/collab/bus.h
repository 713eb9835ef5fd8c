// How replicas wake each other. The log in the database is the truth; a message only says that it
// has grown, or who is where in a document. A bus may lose, double, reorder, delay and forge: that
// costs time, never a text.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/result.h"

namespace weft::collab {

class Bus {
 public:
  /// Called on a thread of the bus, one call at a time, with what another replica published, or
  /// this one: bytes that nobody has judged yet.
  using Heard = std::function<void(std::string message)>;

  Bus() = default;
  virtual ~Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// Begins to listen. Call once. `heard` is not called any more after the destructor.
  virtual void start(Heard heard) = 0;

  /// Tells the other replicas, some time. Callable on any thread, never waits and never fails: what
  /// does not fit into the bounded queue is dropped and counted. At most max_message_bytes().
  virtual void publish(std::string message) = 0;

  /// Of one message, in bytes, before any encoding that the adapter needs. At least 1,024.
  virtual std::size_t max_message_bytes() const = 0;
};

/// The way in for a bus whose service calls on this server, by HTTP, instead of being asked.
class BusInbox {
 public:
  using Answered = std::function<void(Status)>;

  BusInbox() = default;
  virtual ~BusInbox() = default;
  BusInbox(const BusInbox&) = delete;
  BusInbox& operator=(const BusInbox&) = delete;

  /// Judges what was sent, which may be from anybody. Callable on any thread, never waits.
  /// `answered` is called once, on any thread, also before this returns; with ok when the service
  /// need not send it again, otherwise with an error that says what is wrong with it.
  virtual void take(std::string body, Answered answered) = 0;
};

}  // namespace weft::collab

// SealedBus: whoever can write to a queue or a channel must not be able to tell this server
// anything. It puts a seal on what it publishes, under a secret that the servers of one database
// share, and drops and counts what it hears without one. A message that is played again carries its
// seal still: what it says must do no harm twice (collab/bus.h).
//
//   sealed = magic u8 0x57, version u8 1, HMAC-SHA256 32 bytes, message
//
// The code covers a label, magic and version too, so the secret never signs the same bytes for
// another purpose.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bus/bus_metrics.h"
#include "collab/bus.h"

namespace weft::bus {

/// Wiped when it goes.
class SealSecret {
 public:
  static constexpr std::size_t bytes = 32;

  /// Nothing unless there are 32 of them.
  static std::optional<SealSecret> from(std::string_view secret);
  ~SealSecret();
  SealSecret(const SealSecret&) = default;
  SealSecret& operator=(const SealSecret&) = default;

  std::string seal(std::string_view message) const;
  /// The message, if the seal is whole and of this secret.
  std::optional<std::string_view> open(std::string_view sealed) const;

  static constexpr std::size_t overhead_bytes = 2 + 32;

 private:
  SealSecret() = default;
  using Code = std::array<unsigned char, 32>;
  Code code_of(std::string_view message) const;

  std::array<unsigned char, bytes> secret_{};
};

class SealedBus final : public collab::Bus {
 public:
  SealedBus(std::unique_ptr<collab::Bus> inner, const SealSecret& secret, BusMetrics metrics = {})
      : secret_(secret), metrics_(metrics), inner_(std::move(inner)) {}

  void start(Heard heard) override;
  void publish(std::string message) override;
  std::size_t max_message_bytes() const override {
    return inner_->max_message_bytes() - SealSecret::overhead_bytes;
  }

 private:
  const SealSecret secret_;
  const BusMetrics metrics_;
  Heard heard_;
  std::unique_ptr<collab::Bus> inner_;  // last: goes first, and calls nobody then
};

}  // namespace weft::bus

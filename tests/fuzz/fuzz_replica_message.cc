// What comes over the bus, seal or no seal: it is read or refused, and what was read reads the same
// when it is written again.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "collab/replica_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = weft::collab::decode_replica_message(bytes);
  if (!message.ok() || !message->has_value()) return 0;
  const std::string again = encode(**message);
  const auto second = weft::collab::decode_replica_message(again);
  WEFT_CHECK(second.ok() && second->has_value());
  WEFT_CHECK(encode(**second) == again);
  return 0;
}

// Any bytes as a key file: refused as a bad key, or keys of which each has an id and an algorithm,
// and those that can sign are believed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "access/key_set.h"
#include "base/check.h"

using namespace weft;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto keys = access::KeySet::parse(bytes, "input");
  if (!keys.ok()) {
    WEFT_CHECK(keys.error().error_class == ErrorClass::invalid);
    WEFT_CHECK(keys.error().code == "bad_key");
    return 0;
  }
  WEFT_CHECK(!keys->empty());
  for (const access::Key& key : keys->keys()) {
    WEFT_CHECK(!key.id().empty() && key.id().size() <= access::max_key_id_bytes);
    WEFT_CHECK(!key.verifies("message", ""));
    if (!key.can_sign()) continue;
    const auto signature = key.sign("message");
    WEFT_CHECK(signature.ok() && key.verifies("message", *signature));
  }
  return 0;
}

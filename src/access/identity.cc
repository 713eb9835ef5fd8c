#include "access/identity.h"

#include <openssl/sha.h>

#include <array>

#include "access/base64url.h"
#include "access/openssl_types.h"

namespace weft::access {
namespace {

/// The name space of Weft's users; random, and never changed.
constexpr Uuid users = {{0xec, 0x74, 0x98, 0x0f, 0xa8, 0x3d, 0x44, 0x00, 0x85, 0x91, 0xb5, 0xd9,
                         0x10, 0xcd, 0x99, 0xc7}};

}  // namespace

std::string make_token_id(Random& random) {
  std::string bytes;
  for (int word = 0; word < 2; ++word) {
    const std::uint64_t bits = random.next();
    for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(bits >> shift));
  }
  return to_base64url(bytes);
}

Uuid name_based_uuid(const Uuid& name_space, std::string_view name) {
  const std::string input = std::string(name_space.view()) + std::string(name);
  std::array<unsigned char, SHA_DIGEST_LENGTH> hash{};
  SHA1(octets(input), input.size(), hash.data());
  Uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = hash[i];
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x50);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

Uuid owner_id_of(std::string_view user) {
  const auto id = Uuid::parse(user);
  if (id && !id->is_nil() && id->to_string() == user) return *id;
  return name_based_uuid(users, user);
}

}  // namespace weft::access

// Uuid: 16 bytes, written in the usual 36 characters. Names documents, clients and incarnations.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;

  bool is_nil() const { return *this == Uuid{}; }
  /// Lower case, with dashes.
  std::string to_string() const;
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// Accepts exactly the 36-character form, any case.
  static std::optional<Uuid> parse(std::string_view text);
  /// REQUIRES: 16 bytes.
  static Uuid from_bytes(std::string_view sixteen);
  /// RFC 9562 version 4 from 128 random bits.
  static Uuid from_random(std::uint64_t high, std::uint64_t low);
};

using DocumentId = Uuid;
using ClientId = Uuid;

}  // namespace weft

template <>
struct std::hash<weft::Uuid> {
  std::size_t operator()(const weft::Uuid& id) const noexcept;
};

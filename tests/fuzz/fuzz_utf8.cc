// base/utf8.h against a decoder that is slow and plain.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "tests/property/plain_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto plain = weft::rga::property::decode_utf8(bytes);
  const auto count = weft::count_scalars(bytes);
  WEFT_CHECK(count.has_value() == plain.has_value());

  // The longest acceptable prefix, by the plain decoder.
  std::size_t scalars = 0;
  std::size_t at = 0;
  while (at < size) {
    std::size_t length = 1;
    while (length <= 4 && at + length <= size &&
           !weft::rga::property::decode_utf8(bytes.substr(at, length))) {
      ++length;
    }
    if (length > 4 || at + length > size) break;
    at += length;
    ++scalars;
    WEFT_CHECK(weft::prefix_bytes(bytes, scalars) == at);
  }
  WEFT_CHECK(weft::prefix_bytes(bytes, 0) == 0u);
  WEFT_CHECK(!weft::prefix_bytes(bytes, scalars + 1));
  WEFT_CHECK(plain.has_value() == (at == size));
  if (!plain) return 0;

  WEFT_CHECK(*count == plain->size());
  const char* next = bytes.data();
  std::string again;
  for (const char32_t scalar : *plain) {
    WEFT_CHECK(weft::is_scalar(scalar));
    WEFT_CHECK(weft::next_scalar(next) == scalar);
    weft::append_scalar(again, scalar);
  }
  WEFT_CHECK(next == bytes.data() + size && again == bytes);
  const std::string lines = weft::normalize_line_ends(bytes);
  WEFT_CHECK(lines.find('\r') == std::string::npos);
  WEFT_CHECK(weft::count_scalars(lines).has_value());
  WEFT_CHECK(weft::normalize_line_ends(lines) == lines);
  return 0;
}

// Any bytes as a history: refused, or rows that are written and read again as the same. First byte:
// bit 0 puts the right checksum on the rest, since no fuzzer guesses that.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/checksum.h"
#include "base/codec.h"
#include "rga/history.h"

using namespace weft::rga;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) {
    const std::uint64_t sum = weft::checksum64(bytes);
    weft::ByteWriter(bytes).u64_le(sum);
  }
  const auto rows = read_history(bytes);
  if (!rows.ok()) {
    WEFT_CHECK(rows.error().error_class == weft::ErrorClass::corrupt &&
               rows.error().code == "bad_history");
    return 0;
  }
  WEFT_CHECK(rows->size() <= size);
  HistoryWriter writer;
  for (const Operation& row : *rows) WEFT_CHECK(writer.append(row));
  std::string written;
  writer.finish(written);
  WEFT_CHECK(rows->empty() || written.size() <= bytes.size());
  const auto again = read_history(written);
  WEFT_CHECK(again.ok() && again->size() == rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Operation& a = (*rows)[i];
    const Operation& b = (*again)[i];
    WEFT_CHECK(a.kind == b.kind && a.len == b.len && a.id == b.id && a.ref == b.ref &&
               a.text == b.text);
  }
  return 0;
}

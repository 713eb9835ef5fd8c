// Any bytes as a snapshot: refused, or a whole document that is saved and loaded again as the same.
// First byte: bit 0 the tree's shape; bit 1 puts the right checksum on the rest, since no fuzzer
// guesses that.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/checksum.h"
#include "base/codec.h"
#include "rga/document.h"
#include "rga/snapshot.h"

using namespace weft::rga;

namespace {

// A few bytes can stand for a billion tombstones. That is legal, and too slow for a fuzzer.
constexpr std::uint64_t max_elements_here = 4096;

template <class Shape>
void play(std::string_view bytes) {
  auto loaded = BasicDocument<Shape>::load(bytes);
  if (!loaded.ok()) {
    WEFT_CHECK(loaded.error().error_class == weft::ErrorClass::corrupt &&
               loaded.error().code == "bad_snapshot");
    return;
  }
  loaded->check_invariants();
  std::string saved;
  loaded->save(saved);
  auto again = BasicDocument<Shape>::load(saved);
  WEFT_CHECK(again.ok());
  again->check_invariants();
  WEFT_CHECK(again->state_hash() == loaded->state_hash() && again->version() == loaded->version() &&
             again->text() == loaded->text() && again->ssn() == loaded->ssn());
  std::string once_more;
  again->save(once_more);
  auto third = BasicDocument<Shape>::load(once_more);
  std::string fixed;
  WEFT_CHECK(third.ok());
  third->save(fixed);
  WEFT_CHECK(fixed == once_more);

  // It can be worked with.
  if (loaded->sum() > max_integer - 100 || loaded->seq_of(77) != 0) return;
  OpWriter writer;
  loaded->set_local_site(77);
  loaded->insert({loaded->length() / 2}, "ab\nc", &writer);
  loaded->erase({loaded->length() / 4}, loaded->length() / 2, &writer);
  Operation op;
  for (OpReader reader(writer.bytes()); reader.next(op);) {
    WEFT_CHECK(again->apply(op) == ApplyOutcome::applied);
  }
  loaded->check_invariants();
  WEFT_CHECK(again->state_hash() == loaded->state_hash());
  WEFT_CHECK(again->line_count() == loaded->line_count());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 2) != 0) weft::ByteWriter(bytes).u64_le(weft::checksum64(bytes));
  if (auto parsed = parse_snapshot(bytes); parsed.ok()) {
    std::uint64_t elements = 0;
    for (const Snapshot::RunEntry& run : parsed->runs) elements += run.len;
    if (elements > max_elements_here) return 0;
  }
  if ((data[0] & 1) != 0) {
    play<DefaultShape>(bytes);
  } else {
    play<TinyShape>(bytes);
  }
  return 0;
}

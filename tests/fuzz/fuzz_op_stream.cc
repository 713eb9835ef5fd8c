// Any bytes as an operation stream: bounded, never malformed operations, and what was read and is
// written again reads the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "rga/op_codec.h"
#include "tests/property/naive_rga.h"

using namespace weft::rga;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const property::NaiveRga nobody(1);
  std::vector<Operation> ops;
  OpWriter writer;
  OpReader reader(bytes);
  Operation op;
  while (reader.next(op)) {
    WEFT_CHECK(nobody.judge(op) != ApplyOutcome::malformed);
    WEFT_CHECK(op.text.empty() || (op.text.data() >= bytes.data() &&
                                   op.text.data() + op.text.size() <= bytes.data() + size));
    ops.push_back(op);
    writer.append(op);
    if (ops.size() % 7 == 0) writer.cut();
  }
  WEFT_CHECK(!reader.next(op));
  WEFT_CHECK(ops.size() <= size);

  OpReader again(writer.bytes());
  for (const Operation& first : ops) {
    WEFT_CHECK(again.next(op));
    WEFT_CHECK(op.kind == first.kind && op.len == first.len && op.id == first.id &&
               op.ref == first.ref && op.text == first.text);
  }
  WEFT_CHECK(!again.next(op) && !again.failed());
  return 0;
}

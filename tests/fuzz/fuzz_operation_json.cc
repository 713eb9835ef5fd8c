// The JSON form of an operation against the binary one: each can say what the other can, and
// nothing else. First byte: bit 0: the rest is an operation stream, otherwise it is JSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "rga/op_codec.h"
#include "tests/property/naive_rga.h"
#include "wire/operation_json.h"

using namespace weft;
using rga::Operation;

namespace {

bool same(const Operation& a, const Operation& b) {
  return a.kind == b.kind && a.len == b.len && a.id == b.id && a.ref == b.ref && a.text == b.text;
}

void check_json_of(const Operation& op) {
  const auto read = wire::operation_from_json(wire::to_json(op));
  WEFT_CHECK(read.ok());
  WEFT_CHECK(same(read->view(), op));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Operation op;
  if ((data[0] & 1) != 0) {
    for (rga::OpReader reader(bytes); reader.next(op);) check_json_of(op);
    return 0;
  }
  const auto read = wire::operation_from_json(bytes);
  if (!read.ok()) {
    WEFT_CHECK(read.error().error_class == ErrorClass::invalid);
    WEFT_CHECK(read.error().code == "bad_operation");
    return 0;
  }
  WEFT_CHECK(rga::property::NaiveRga(1).judge(read->view()) != rga::ApplyOutcome::malformed);
  rga::OpWriter writer;
  writer.append(read->view());
  rga::OpReader reader(writer.bytes());
  WEFT_CHECK(reader.next(op) && same(op, read->view()));
  WEFT_CHECK(!reader.next(op) && !reader.failed());
  check_json_of(op);
  return 0;
}

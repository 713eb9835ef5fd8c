#include "collab/log_row.h"

#include "rga/op_codec.h"

namespace weft::collab {

LogRow make_row(const rga::Operation& op, std::uint64_t base, std::int64_t timestamp_us) {
  LogRow row;
  row.base = base;
  row.kind = op.kind;
  row.len = op.len;
  row.id = op.id;
  row.ref = op.ref;
  row.text = std::string(op.text);
  row.timestamp_us = timestamp_us;
  return row;
}

bool extend_row(LogRow& row, const LogRow& next) {
  const rga::Operation a = row.operation();
  const rga::Operation b = next.operation();
  if (!rga::continues_run(a, b)) return false;
  row.kind = rga::merged_kind(a, b);
  row.len += next.len;
  row.text += next.text;
  return true;
}

std::string encode_rows(const std::vector<LogRow>& rows, std::size_t first, std::size_t count) {
  rga::OpWriter writer;
  for (std::size_t i = first; i < first + count; ++i) writer.append(rows[i].operation());
  wire::Operations message;
  message.first_index = rows[first].index;
  message.count = count;
  message.operations = writer.bytes();
  return wire::encode(message);
}

}  // namespace weft::collab

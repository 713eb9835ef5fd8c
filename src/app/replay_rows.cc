#include "app/replay_rows.h"

#include <zlib.h>

#include "rga/history.h"
#include "rga/op_codec.h"

namespace weft::app {

Rows to_rows(std::string_view log) {
  Rows rows;
  rga::OpWriter out;
  rga::Operation row;
  std::string text;
  const auto flush = [&] {
    if (row.len == 0) return;
    row.text = text;
    out.append(row);
    ++rows.count;
  };
  rga::OpReader reader(log);
  rga::Operation op;
  while (reader.next(op)) {
    ++rows.operations;
    if (row.len != 0 && rga::continues_run(row, op)) {
      row.kind = rga::merged_kind(row, op);
      row.len += op.len;
      text.append(op.text);
      continue;
    }
    flush();
    row = op;
    text = op.text;
  }
  flush();
  rows.stream = out.take();
  return rows;
}

Result<std::string> pack_history(std::string_view row_stream) {
  rga::HistoryWriter writer;
  rga::OpReader reader(row_stream);
  rga::Operation row;
  while (reader.next(row)) {
    if (!writer.append(row)) {
      return Error{ErrorClass::conflict, "replay_unfit", "a row cannot follow the rows before it"};
    }
  }
  std::string columns;
  writer.finish(columns);
  uLongf size = compressBound(static_cast<uLong>(columns.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(columns.data()), static_cast<uLong>(columns.size()),
                Z_BEST_COMPRESSION) != Z_OK) {
    return Error{ErrorClass::too_large, "trace_too_large", "no memory to compress it"};
  }
  packed.resize(size);
  return packed;
}

Result<std::string> unpack_history(std::string_view packed, std::size_t max_bytes) {
  std::string columns(max_bytes, '\0');
  uLongf size = max_bytes;
  if (uncompress(reinterpret_cast<Bytef*>(columns.data()), &size,
                 reinterpret_cast<const Bytef*>(packed.data()),
                 static_cast<uLong>(packed.size())) != Z_OK) {
    return Error{ErrorClass::corrupt, "bad_history", "cannot be decompressed"};
  }
  auto rows = rga::read_history(std::string_view(columns).substr(0, size));
  if (!rows.ok()) return rows.error();
  rga::OpWriter out;
  for (const rga::Operation& row : *rows) out.append(row);
  return out.take();
}

}  // namespace weft::app

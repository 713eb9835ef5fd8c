#include "rga/op_codec.h"

#include <cstring>

#include "base/check.h"
#include "base/codec.h"
#include "base/utf8.h"

namespace weft::rga {
namespace {

constexpr std::uint8_t explicit_id_bit = 0x04;
constexpr unsigned ref_shift = 3;
constexpr unsigned len_shift = 5;
constexpr std::uint32_t max_len = 1u << 30;
// A tag, an id, a len and a ref at their longest.
constexpr std::size_t max_head_bytes = 1 + 4 * 8 + 5 + 2 * 8;

enum RefForm : std::uint8_t { previous = 0, own = 1, other = 2, head = 3 };
static_assert(typed_tag == (previous << ref_shift | 1 << len_shift));
static_assert(erased_tag == (1 | own << ref_shift | 1 << len_shift));

RefForm ref_form(const Operation& op) {
  // A purge is written as an erase whose ref has the form that an erase cannot have.
  if (op.ref.is_head() || op.kind == OpKind::purge) return head;
  if (op.ref.sid != op.id.sid || op.ref.seq >= op.id.seq) return other;
  return op.ref.seq + 1 == op.id.seq ? previous : own;
}

}  // namespace

void OpWriter::make_room(std::size_t n) { buffer_.resize(2 * buffer_.size() + n + 64); }

void OpWriter::clear() {
  used_ = 0;
  cut();
}

std::string OpWriter::take() {
  std::string out = std::move(buffer_);
  out.resize(used_);
  buffer_.clear();
  clear();
  return out;
}

void OpWriter::append(const Operation& op) {
  char* const begin = room(max_head_bytes + op.text.size());
  char* at = begin + 1;
  const RefForm form = ref_form(op);
  const OpKind kind = op.kind == OpKind::purge ? OpKind::erase : op.kind;
  auto tag = static_cast<std::uint8_t>(static_cast<unsigned>(kind) | static_cast<unsigned>(form)
                                                                         << ref_shift);
  if (op.id != last_.plus(done_)) {
    tag |= explicit_id_bit;
    at = put_varint(at, op.id.ssn);
    at = put_varint(at, op.id.sid);
    at = put_varint(at, op.id.seq);
    at = put_varint(at, op.id.sum);
  }
  if (op.len < 8) {
    tag = static_cast<std::uint8_t>(tag | op.len << len_shift);
  } else {
    at = put_varint(at, op.len);
  }
  if (form == own) {
    at = put_varint(at, op.id.seq - op.ref.seq);
  } else if (form == other || op.kind == OpKind::purge) {
    at = put_varint(at, op.ref.sid);
    at = put_varint(at, op.ref.seq);
  }
  *begin = static_cast<char>(tag);
  if (op.text.size() == 1) {
    *at = op.text[0];
  } else if (!op.text.empty()) {
    std::memcpy(at, op.text.data(), op.text.size());
  }
  used_ += static_cast<std::size_t>(at - begin) + op.text.size();
  last_ = op.id;
  done_ = op.len;
}

bool OpReader::read(Operation& op) {
  if (at_ == end_) return false;
  if (parse(op)) return true;
  failed_ = true;
  at_ = end_;
  return false;
}

std::uint32_t OpReader::read_erased(std::uint64_t target_seq, bool forward, std::uint32_t most) {
  most = bound(most, (end_ - at_) / 2);
  std::uint64_t distance = last_.seq + done_ - target_seq;
  const std::uint64_t step = forward ? 0 : 2;  // the id goes on by one as well
  std::uint32_t n = 0;
  for (; n < most; ++n, distance += step) {
    if (at_[0] != erased_tag) break;
    // The distance must be the expected one: compare, do not decode.
    const char* at = at_ + 1;
    std::uint64_t rest = distance;
    for (; rest >= 0x80 && at != end_ && *at == static_cast<char>(rest | 0x80); ++at) rest >>= 7;
    if (rest >= 0x80 || at == end_ || *at != static_cast<char>(rest)) break;
    at_ = at + 1;
  }
  done_ += n;
  return n;
}

bool OpReader::parse(Operation& op) {
  ByteReader in({at_, static_cast<std::size_t>(end_ - at_)});
  const std::uint8_t tag = in.u8();
  op.kind = static_cast<OpKind>(tag & 3);
  if (tag & explicit_id_bit) {
    op.id.ssn = in.varint_max(max_integer);
    op.id.sid = in.varint_max(max_integer);
    op.id.seq = in.varint_max(max_integer);
    op.id.sum = in.varint_max(max_integer);
    if (op.id.sid == 0 || op.id.seq == 0 || op.id.sum < op.id.seq) return false;
  } else {
    if (last_.sid == 0) return false;
    op.id = last_.plus(done_);
  }
  op.len = tag >> len_shift;
  if (op.len == 0) op.len = static_cast<std::uint32_t>(in.varint_max(max_len));
  if (op.len == 0 || op.id.sum + op.len - 1 > max_integer) return false;
  switch (tag >> ref_shift & 3) {
    case previous: op.ref = {op.id.sid, op.id.seq - 1}; break;
    case own: {
      const std::uint64_t distance = in.varint_max(op.id.seq);
      if (distance == 0) return false;
      op.ref = {op.id.sid, op.id.seq - distance};
      break;
    }
    case head:
      op.ref = {};
      if (op.kind == OpKind::insert) break;
      if (op.kind != OpKind::erase) return false;
      op.kind = OpKind::purge;
      [[fallthrough]];
    case other:
      op.ref.sid = in.varint_max(max_integer);
      op.ref.seq = in.varint_max(max_integer);
      if (op.ref.sid == 0) return false;
      break;
  }
  if (in.failed()) return false;
  if (!op.ref.is_head()) {
    if (op.ref.seq == 0) return false;
    if (op.kind == OpKind::erase_back && op.ref.seq < op.len) return false;
    if (op.ref.seq + op.len - 1 > max_integer) return false;
  }
  op.text = {};
  if (op.has_text()) {
    const auto bytes = prefix_bytes(in.rest(), op.len);
    if (!bytes) return false;
    op.text = in.bytes(*bytes);
  }
  at_ = end_ - in.remaining();
  last_ = op.id;
  done_ = op.len;
  return true;
}

}  // namespace weft::rga

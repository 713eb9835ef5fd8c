#include "rga/history.h"

#include <algorithm>
#include <utility>

#include "base/checksum.h"
#include "base/codec.h"
#include "base/utf8.h"

namespace weft::rga {
namespace {

constexpr std::string_view magic = "WFTH";
constexpr std::uint8_t format_version = 1;
constexpr std::size_t checksum_bytes = 8;
constexpr std::uint32_t max_len = 1u << 30;
constexpr std::uint64_t max_authors = 1u << 24;

// How a reference is told, in the column of referred authors. An erase that says "head" and then a
// reference is a purge.
constexpr std::uint64_t ref_at_caret_author = 0;
constexpr std::uint64_t ref_head = 1;
constexpr std::uint64_t ref_first_author = 2;

// How a sum is told: 0: nothing was learnt since the author's own last row; otherwise 1 + the
// elements of the log that the author did not know.
constexpr std::uint64_t sum_follows = 0;

Error bad(const char* what) { return {ErrorClass::corrupt, "bad_history", what}; }

/// The seqs that a row needs to exist: of the first and the last element that it refers to.
std::pair<std::uint64_t, std::uint64_t> referred(const Operation& row) {
  switch (row.kind) {
    case OpKind::insert: return {row.ref.seq, row.ref.seq};
    case OpKind::erase_back: return {row.ref.seq - (row.len - 1), row.ref.seq};
    case OpKind::erase:
    case OpKind::update:
    case OpKind::purge: break;
  }
  return {row.ref.seq, row.ref.seq + (row.len - 1)};
}

}  // namespace

bool HistoryState::allows(const Operation& row, std::uint32_t author,
                          std::uint32_t ref_author) const {
  const Author& by = authors[author];
  if (row.len == 0 || row.len > max_len || row.id.seq != by.seq + 1) return false;
  if (row.id.sum <= by.last_sum || row.id.sum < row.id.seq || row.id.sum > total + 1) return false;
  if (total + row.len > max_integer) return false;
  if (row.kind == OpKind::insert && row.ref.is_head()) return true;
  if (row.kind == OpKind::erase_back && row.ref.seq < row.len) return false;
  const auto [first, last] = referred(row);
  return first >= 1 && ref_author < authors.size() && last <= authors[ref_author].seq;
}

void HistoryState::advance(const Operation& row, std::uint32_t author, std::uint32_t ref_author) {
  Author& by = authors[author];
  by.seq = row.last_seq();
  by.last_sum = row.id.sum + row.len - 1;
  total += row.len;
  if (row.kind == OpKind::insert) {
    by.caret_author = author;
    by.caret_seq = by.seq;
    return;
  }
  by.caret_author = ref_author;
  const auto [first, last] = referred(row);
  by.caret_seq = row.kind == OpKind::update ? last : first - 1;
}

std::uint32_t HistoryWriter::author_of(std::uint64_t sid) const {
  const auto it = numbers_.find(sid);
  return it != numbers_.end() ? it->second : static_cast<std::uint32_t>(numbers_.size());
}

bool HistoryWriter::append(const Operation& row) {
  if (rows_ > 0 && row.id.ssn != ssn_) return false;
  const std::uint32_t author = author_of(row.id.sid);
  const bool at_head = row.kind == OpKind::insert && row.ref.is_head();
  const std::uint32_t ref_author = at_head ? author : author_of(row.ref.sid);
  const bool is_new = author == state_.authors.size();
  if (is_new) {
    if (author == max_authors) return false;
    state_.authors.push_back({.sid = row.id.sid, .caret_author = author});
  }
  if (!state_.allows(row, author, ref_author)) {
    if (is_new) state_.authors.pop_back();
    return false;
  }
  if (is_new) numbers_.emplace(row.id.sid, author);
  ssn_ = row.id.ssn;
  ++rows_;

  const HistoryState::Author& by = state_.authors[author];
  ByteWriter(authors_).varint(author);
  const bool is_purge = row.kind == OpKind::purge;
  const OpKind told = is_purge ? OpKind::erase : row.kind;
  ByteWriter(heads_).varint(std::uint64_t{row.len} << 2 | static_cast<std::uint64_t>(told));
  if (is_purge) ByteWriter(ref_authors_).varint(ref_head);
  const bool follows = row.id.sum == by.last_sum + 1;
  ByteWriter(sums_).varint(follows ? sum_follows : 1 + (state_.total + 1 - row.id.sum));
  if (at_head) {
    ByteWriter(ref_authors_).varint(ref_head);
  } else if (ref_author == by.caret_author) {
    ByteWriter(ref_authors_).varint(ref_at_caret_author);
    ByteWriter(ref_seqs_).zigzag_varint(static_cast<std::int64_t>(row.ref.seq - by.caret_seq));
  } else {
    ByteWriter(ref_authors_).varint(ref_first_author + ref_author);
    ByteWriter(ref_seqs_).varint(state_.authors[ref_author].seq - row.ref.seq);
  }
  text_.append(row.text);
  state_.advance(row, author, ref_author);
  return true;
}

// Layout: magic, version, ssn, author count, sids, row count, sized columns, text, checksum64.
void HistoryWriter::finish(std::string& out) {
  const std::size_t begin = out.size();
  ByteWriter writer(out);
  writer.bytes(magic);
  writer.u8(format_version);
  writer.varint(ssn_);
  writer.varint(state_.authors.size());
  for (const HistoryState::Author& author : state_.authors) writer.varint(author.sid);
  writer.varint(rows_);
  for (const std::string* column :
       {&authors_, &heads_, &sums_, &ref_authors_, &ref_seqs_, &text_}) {
    writer.sized_bytes(*column);
  }
  writer.u64_le(checksum64(std::string_view(out).substr(begin)));
  *this = HistoryWriter();
}

namespace {

/// Reads the rows of a body whose checksum is right.
class HistoryParser {
 public:
  explicit HistoryParser(std::string_view body) : in_(body) {}

  Result<std::vector<Operation>> parse() {
    if (const char* problem = read_header()) return bad(problem);
    std::vector<Operation> rows;
    rows.reserve(static_cast<std::size_t>(row_count_));
    for (std::uint64_t i = 0; i < row_count_; ++i) {
      Operation row;
      if (const char* problem = read_row(row)) return bad(problem);
      rows.push_back(row);
    }
    for (const ByteReader* column :
         {&authors_, &heads_, &sums_, &ref_authors_, &ref_seqs_, &text_}) {
      if (column->failed() || !column->at_end()) return bad("columns of different length");
    }
    if (state_.authors.size() != sids_.size()) return bad("a site without rows");
    return rows;
  }

 private:
  const char* read_header() {
    in_.bytes(magic.size());
    if (in_.u8() != format_version) return "unknown format version";
    ssn_ = in_.varint_max(max_integer);
    const std::uint64_t author_count = in_.varint_max(std::min(max_authors, rest()));
    std::map<std::uint64_t, bool> seen;
    for (std::uint64_t i = 0; i < author_count; ++i) {
      const std::uint64_t sid = in_.varint_max(max_integer);
      if (sid == 0 || !seen.emplace(sid, true).second) return "bad site";
      sids_.push_back(sid);
    }
    row_count_ = in_.varint_max(rest());  // a byte of each row's head at least
    for (ByteReader* column : {&authors_, &heads_, &sums_, &ref_authors_, &ref_seqs_, &text_}) {
      *column = ByteReader(in_.sized_bytes(in_.remaining()));
    }
    if (in_.failed() || !in_.at_end()) return "truncated";
    return row_count_ > heads_.remaining() ? "more rows than heads" : nullptr;
  }

  const char* read_row(Operation& row) {
    const std::uint64_t author = authors_.varint_max(state_.authors.size());
    if (author == state_.authors.size()) {  // sites come in the order of their first rows
      if (author == sids_.size()) return "row of an unknown site";
      state_.authors.push_back({.sid = sids_[state_.authors.size()],
                                .caret_author = static_cast<std::uint32_t>(author)});
    }
    const auto number = static_cast<std::uint32_t>(author);
    const HistoryState::Author& by = state_.authors[number];
    const std::uint64_t head = heads_.varint_max(std::uint64_t{max_len} << 2 | 3);
    row.kind = static_cast<OpKind>(head & 3);
    row.len = static_cast<std::uint32_t>(head >> 2);
    row.id = {ssn_, by.last_sum + 1, by.sid, by.seq + 1};
    if (const std::uint64_t told = sums_.varint(); told != sum_follows) {
      if (told - 1 > state_.total) return "sum out of range";
      row.id.sum = state_.total + 1 - (told - 1);
      if (row.id.sum == by.last_sum + 1) return "sum in its long form";
    }
    std::uint32_t ref_author = number;
    if (const char* problem = read_ref(row, by, ref_author)) return problem;
    if (authors_.failed() || heads_.failed() || sums_.failed()) return "truncated column";
    if (!state_.allows(row, number, ref_author)) return "a row that cannot follow";
    row.text = {};
    if (row.has_text()) {
      const auto size = prefix_bytes(text_.rest(), row.len);
      if (!size) return "text does not fit the rows";
      row.text = text_.bytes(*size);
    }
    state_.advance(row, number, ref_author);
    return nullptr;
  }

  const char* read_ref(Operation& row, const HistoryState::Author& by, std::uint32_t& ref_author) {
    std::uint64_t told = ref_authors_.varint();
    if (told == ref_head && row.kind == OpKind::erase) {
      row.kind = OpKind::purge;
      told = ref_authors_.varint();
    }
    if (ref_authors_.failed()) return "truncated column";
    if (told == ref_head) {
      row.ref = {};
      return row.kind == OpKind::insert ? nullptr : "nothing is at the head";
    }
    if (told == ref_at_caret_author) {
      ref_author = by.caret_author;
      row.ref.seq = by.caret_seq + static_cast<std::uint64_t>(ref_seqs_.zigzag_varint());
    } else {
      if (told - ref_first_author >= state_.authors.size()) return "reference to an unknown site";
      ref_author = static_cast<std::uint32_t>(told - ref_first_author);
      if (ref_author == by.caret_author) return "reference in its long form";
      const HistoryState::Author& to = state_.authors[ref_author];
      row.ref.seq = to.seq - ref_seqs_.varint_max(to.seq);
    }
    row.ref.sid = state_.authors[ref_author].sid;
    // A seq of 0 with a sid would not be the head: allows() refuses it.
    return ref_seqs_.failed() ? "truncated column" : nullptr;
  }

  std::uint64_t rest() const { return in_.remaining(); }

  ByteReader in_;
  std::uint64_t ssn_ = 0;
  std::uint64_t row_count_ = 0;
  std::vector<std::uint64_t> sids_;
  HistoryState state_;
  ByteReader authors_{{}}, heads_{{}}, sums_{{}}, ref_authors_{{}}, ref_seqs_{{}}, text_{{}};
};

}  // namespace

Result<std::vector<Operation>> read_history(std::string_view bytes) {
  if (bytes.size() < magic.size() + 1 + checksum_bytes || !bytes.starts_with(magic)) {
    return bad("not a history");
  }
  const std::string_view body = bytes.substr(0, bytes.size() - checksum_bytes);
  ByteReader checksum(bytes.substr(body.size()));
  if (checksum.u64_le() != checksum64(body)) return bad("checksum mismatch");
  return HistoryParser(body).parse();
}

}  // namespace weft::rga

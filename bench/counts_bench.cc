// What ./dev bench counts counts the instructions of: each measure is one function that is not
// inlined, called once, so that callgrind can tell them apart by name. The work is always the same:
// histories from fixed seeds. bench/counts.mjs runs it and reads the counts.
#include <cstdio>
#include <string>

#include "app/replay_rows.h"
#include "base/check.h"
#include "bench/generated.h"
#include "rga/document.h"

namespace {

using weft::rga::ApplyOutcome;
using weft::rga::Document;
using weft::rga::OpReader;
using weft::rga::OpWriter;
using weft::rga::PatchList;

struct Work {
  weft::app::Trace trace;
  std::string log;   // of the trace, operation by operation
  std::string rows;  // the same as run rows
  std::string own;   // of one of two who prepend offline
  std::string others;
  std::string saved;
};

}  // namespace

extern "C" {

[[gnu::noinline]] void counted_local(const Work& work, Document& document, OpWriter& out) {
  for (const weft::app::TracePatch& patch : work.trace.patches) {
    if (patch.erased > 0) document.erase({patch.at}, patch.erased, &out);
    if (patch.inserted > 0) document.insert({patch.at}, work.trace.text_of(patch), &out);
  }
}
[[gnu::noinline]] ApplyOutcome counted_remote(const Work& work, Document& document) {
  OpReader reader(work.log);
  return document.apply(reader).outcome;
}
[[gnu::noinline]] void counted_remote_each(const Work& work, Document& document) {
  OpReader reader(work.log);
  weft::rga::Operation op;
  while (reader.next(op)) document.apply(op);
}
[[gnu::noinline]] void counted_patches(const Work& work, Document& document, PatchList& patches) {
  OpReader reader(work.log);
  while (document.apply(reader, &patches, 256).operations == 256) patches.patches.clear();
}
[[gnu::noinline]] ApplyOutcome counted_rows(const Work& work, Document& document) {
  OpReader reader(work.rows);
  return document.apply(reader).outcome;
}
[[gnu::noinline]] ApplyOutcome counted_merge(const Work& work, Document& document) {
  OpReader reader(work.others);
  return document.apply(reader).outcome;
}
[[gnu::noinline]] void counted_save(const Document& document, std::string& out) {
  document.save(out);
}
[[gnu::noinline]] std::size_t counted_load(const Work& work) {
  const auto loaded = Document::load(work.saved);
  return loaded.ok() ? loaded->text().size() : 0;
}

}  // extern "C"

int main() {
  Work work;
  work.trace = weft::bench::typing_history(100'000, 1);
  Document local;
  local.set_local_site(1);
  OpWriter out;
  counted_local(work, local, out);
  work.log = out.take();
  Document remote;
  WEFT_CHECK(counted_remote(work, remote) == ApplyOutcome::applied);
  WEFT_CHECK(remote.text() == work.trace.end_content);
  Document each;
  counted_remote_each(work, each);
  WEFT_CHECK(each.state_hash() == remote.state_hash());
  Document patched;
  PatchList patches;
  counted_patches(work, patched, patches);
  WEFT_CHECK(patched.state_hash() == remote.state_hash());
  work.rows = weft::app::to_rows(work.log).stream;
  Document from_rows;
  WEFT_CHECK(counted_rows(work, from_rows) == ApplyOutcome::applied);
  WEFT_CHECK(from_rows.state_hash() == remote.state_hash());

  Document mine;
  Document other;
  mine.set_local_site(2);
  other.set_local_site(3);
  OpWriter of_other;
  for (int i = 0; i < 10'000; ++i) {
    mine.insert({0}, "a", nullptr);
    other.insert({0}, "b", &of_other);
  }
  work.others = of_other.take();
  WEFT_CHECK(counted_merge(work, mine) == ApplyOutcome::applied);

  counted_save(remote, work.saved);
  WEFT_CHECK(counted_load(work) == work.trace.end_content.size());
  std::printf("counted\n");
}

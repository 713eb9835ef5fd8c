// Writes the first inputs of the fuzz targets: what real documents say and save. Called while
// building; the argument is the folder that gets a folder for each target.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "rga/document.h"
#include "rga/history.h"

namespace {

using namespace weft::rga;

struct Sample {
  std::string name;
  std::string stream;
  std::string snapshot;
  std::string history;
};

Sample sample(const std::string& name, std::string_view text, bool two_sites, bool updates) {
  Document a(1);
  Document b(1);
  a.set_local_site(7);
  b.set_local_site(9);
  OpWriter from_a;
  OpWriter from_b;
  a.insert({0}, text, &from_a);
  for (const char c : std::string_view("typed")) a.insert({a.length() / 2}, {&c, 1}, &from_a);
  for (int i = 0; i < 3; ++i) a.erase({a.length() - 1}, 1, &from_a);
  a.erase({0}, a.length() / 3, &from_a);
  if (updates) a.update({0}, "U", &from_a);
  Operation op;
  std::string stream(from_a.bytes());
  if (two_sites) {
    for (OpReader reader(from_a.bytes()); reader.next(op);) b.apply(op);
    b.insert({b.length() / 2}, text, &from_b);
    b.erase({1}, 2, &from_b);
    for (OpReader reader(from_b.bytes()); reader.next(op);) a.apply(op);
    stream += from_b.bytes();
  }
  std::string snapshot;
  a.save(snapshot);
  HistoryWriter writer;
  for (OpReader reader(stream); reader.next(op);) writer.append(op);
  std::string history;
  writer.finish(history);
  return {name, stream, snapshot, history};
}

bool put(const std::filesystem::path& folder, const std::string& name, std::string_view bytes) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  std::ofstream out(folder / name, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return out.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_fuzz_seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path top(argv[1]);
  const std::string wide =
      "gr\xc3\xbc\xc3\x9f"
      "e \xe4\xb8\xad\xf0\x9f\x98\x80\nline";
  bool good = true;
  for (const Sample& s : {sample("ascii", "hello world, hello", false, false),
                          sample("wide", wide, true, false), sample("updated", wide, true, true)}) {
    good &= put(top / "fuzz_op_stream", s.name, s.stream);
    good &= put(top / "fuzz_utf8", s.name, s.name == "ascii" ? "plain ascii text" : wide);
    good &= put(top / "fuzz_history", s.name, std::string(1, '\0') + s.history);
    good &= put(top / "fuzz_history", s.name + "_body",
                std::string(1, '\1') + s.history.substr(0, s.history.size() - 8));
    for (const char shape : {'\0', '\1'}) {
      const std::string suffix = shape == 0 ? "_tiny" : "_default";
      good &= put(top / "fuzz_apply", s.name + suffix,
                  std::string(1, static_cast<char>(2 | shape)) + s.stream);
      good &= put(top / "fuzz_apply", s.name + suffix + "_commands",
                  std::string(1, shape) + s.snapshot);
      good &= put(top / "fuzz_snapshot", s.name + suffix, std::string(1, shape) + s.snapshot);
      good &= put(top / "fuzz_snapshot", s.name + suffix + "_body",
                  std::string(1, static_cast<char>(2 | shape)) +
                      s.snapshot.substr(0, s.snapshot.size() - 8));
    }
  }
  if (!good) std::cerr << "make_fuzz_seeds: cannot write to " << top << '\n';
  return good ? 0 : 1;
}

// native_driver: the native core at the end of a pipe, for the differential test against weft.wasm
// (client/test/differential.test.ts). One command a line on stdin, one answer a line on stdout:
//
//   new REPLICA SSN SID          an empty document                    ok
//   insert REPLICA AT HEX        UTF-16 position, UTF-8 text          EditOutcome
//   erase REPLICA AT COUNT       UTF-16                               EditOutcome
//   take REPLICA                 local operations since the last      hex
//   apply REPLICA HEX            an operation stream                  ApplyOutcome AT:ERASED:HEX
//   ... hash REPLICA                                                      state hash, hex text
//   REPLICA                                                      hex save REPLICA                 a
//   snapshot                           hex load REPLICA SID HEX         from a snapshot ok | bad
//   place REPLICA AT             line:column, anchors of both sides   LINE:COLUMN SID:SEQ:SIDE
//   SID:SEQ:SIDE
#include <cstdint>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "rga/document.h"

namespace {

using namespace weft::rga;

struct Replica {
  Document document;
  OpWriter writer;
};

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex.empty() ? "-" : hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  if (hex == "-") return bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string anchor_text(const Anchor& anchor) {
  return std::to_string(anchor.element.sid) + ":" + std::to_string(anchor.element.seq) + ":" +
         std::to_string(static_cast<int>(anchor.side));
}

std::string integrate(Replica& replica, const std::string& stream) {
  PatchList patches(PatchList::Unit::utf16);
  ApplyOutcome outcome = ApplyOutcome::applied;
  OpReader reader(stream);
  Operation op;
  while (reader.next(op)) {
    outcome = replica.document.apply(op, &patches);
    if (outcome == ApplyOutcome::duplicate) outcome = ApplyOutcome::applied;
    if (outcome != ApplyOutcome::applied) break;
  }
  std::string answer = reader.failed() ? "100" : std::to_string(static_cast<int>(outcome));
  for (const Patch& patch : patches.patches) {
    answer += " " + std::to_string(patch.at) + ":" + std::to_string(patch.erased) + ":" +
              to_hex(patch.inserted);
  }
  return answer;
}

std::string run(std::map<std::string, Replica>& replicas, const std::string& line) {
  std::istringstream in(line);
  std::string command;
  std::string name;
  in >> command >> name;
  if (command == "new" || command == "load") {
    std::uint64_t number = 0;
    in >> number;
    if (command == "new") {
      Replica fresh{Document(number), {}};
      std::uint64_t sid = 0;
      in >> sid;
      fresh.document.set_local_site(sid);
      replicas.insert_or_assign(name, std::move(fresh));
      return "ok";
    }
    std::string hex;
    in >> hex;
    auto loaded = Document::load(from_hex(hex));
    if (!loaded.ok()) return "bad";
    Replica fresh{std::move(*loaded), {}};
    fresh.document.set_local_site(number);
    replicas.insert_or_assign(name, std::move(fresh));
    return "ok";
  }
  const auto found = replicas.find(name);
  if (found == replicas.end()) return "unknown replica";
  Replica& replica = found->second;
  Document& document = replica.document;
  if (command == "insert") {
    std::uint32_t at = 0;
    std::string hex;
    in >> at >> hex;
    const auto outcome =
        document.insert(document.from_utf16(Utf16Offset{at}), from_hex(hex), &replica.writer);
    return std::to_string(static_cast<int>(outcome));
  }
  if (command == "erase") {
    std::uint32_t at = 0;
    std::uint32_t count = 0;
    in >> at >> count;
    const ScalarOffset from = document.from_utf16(Utf16Offset{at});
    const ScalarOffset to = document.from_utf16(Utf16Offset{at + count});
    const auto outcome = document.erase(from, to.value - from.value, &replica.writer);
    return std::to_string(static_cast<int>(outcome));
  }
  if (command == "take") return to_hex(replica.writer.take());
  if (command == "apply") {
    std::string hex;
    in >> hex;
    return integrate(replica, from_hex(hex));
  }
  if (command == "hash") {
    std::ostringstream out;
    out << std::hex << document.state_hash();
    return out.str();
  }
  if (command == "text") return to_hex(document.text());
  if (command == "save") {
    std::string bytes;
    document.save(bytes);
    return to_hex(bytes);
  }
  if (command == "place") {
    std::uint32_t at = 0;
    in >> at;
    const ScalarOffset gap = document.from_utf16(Utf16Offset{at});
    const LineColumn place = document.to_line_column(gap);
    return std::to_string(place.line) + ":" + std::to_string(place.column) + " " +
           anchor_text(document.anchor_at(gap, Anchor::Side::before)) + " " +
           anchor_text(document.anchor_at(gap, Anchor::Side::after));
  }
  return "unknown command";
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::map<std::string, Replica> replicas;
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << run(replicas, line) << '\n' << std::flush;
  }
  return 0;
}

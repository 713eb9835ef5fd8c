#include "wire/messages.h"

#include <gtest/gtest.h>

#include "base/checksum.h"
#include "base/codec.h"
#include "rga/document.h"
#include "rga/op_codec.h"

namespace weft::wire {
namespace {

const Limits limits;
const Uuid some_uuid = Uuid::from_random(0x1122334455667788, 0x99aabbccddeeff00);
const Uuid other_uuid = Uuid::from_random(7, 8);

std::string bytes_of(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

template <class T>
T from_client(std::string_view bytes, const Limits& with = limits) {
  const auto decoded = decode_client_message(bytes, with);
  EXPECT_TRUE(decoded.ok());
  EXPECT_TRUE(decoded->has_value());
  return std::get<T>(**decoded);
}

template <class T>
T from_server(std::string_view bytes) {
  const auto decoded = decode_server_message(bytes);
  EXPECT_TRUE(decoded.ok());
  EXPECT_TRUE(decoded->has_value());
  return std::get<T>(**decoded);
}

Presence some_presence() {
  Presence presence{"Zo\xc3\xab", 0xff8000, {}};
  presence.selections.push_back(
      {{{7, 3}, rga::Anchor::Side::before}, {{}, rga::Anchor::Side::after}});
  presence.selections.push_back({{{1, 300}, rga::Anchor::Side::after}, {{2, 1}, {}}});
  return presence;
}

Hello some_hello() {
  Hello hello;
  hello.version_max = 3;
  hello.token = "secret";
  hello.client = some_uuid;
  hello.has_state = true;
  hello.incarnation = other_uuid;
  hello.ssn = 4;
  hello.applied = 1000;
  hello.acked_seq = rga::max_integer;
  return hello;
}

Welcome some_welcome() {
  return {1, 5, 6, 700, some_uuid, 2, 90000, true, 123456, 5000, 1u << 20, "weft 0.1", 77};
}

Peers some_peers() {
  Peers peers;
  peers.peers.push_back({3, true, 9, some_presence()});
  peers.peers.push_back({4, false, 0, {}});
  return peers;
}

// --- there and back ------------------------------------------------------------------------------

TEST(ClientMessages, HelloWithState) {
  const std::string bytes = encode(some_hello());
  const Hello back = from_client<Hello>(bytes);
  EXPECT_EQ(back.version_min, 1u);
  EXPECT_EQ(back.version_max, 3u);
  EXPECT_EQ(back.token, "secret");
  EXPECT_EQ(back.client, some_uuid);
  EXPECT_TRUE(back.has_state);
  EXPECT_EQ(back.incarnation, other_uuid);
  EXPECT_EQ(back.ssn, 4u);
  EXPECT_EQ(back.applied, 1000u);
  EXPECT_EQ(back.acked_seq, rga::max_integer);
}

TEST(ClientMessages, HelloWithoutStateSaysNothingOfOne) {
  Hello hello = some_hello();
  hello.has_state = false;
  const std::string bytes = encode(hello);
  const Hello back = from_client<Hello>(bytes);
  EXPECT_FALSE(back.has_state);
  EXPECT_TRUE(back.incarnation.is_nil());
  EXPECT_EQ(back.applied, 0u);
}

TEST(ClientMessages, Push) {
  const std::string bytes = encode(Push{300, "any bytes"});
  const Push back = from_client<Push>(bytes);
  EXPECT_EQ(back.base, 300u);
  EXPECT_EQ(back.operations, "any bytes");
}

TEST(ClientMessages, PresenceKeepsEverySelection) {
  const Presence presence = some_presence();
  const std::string bytes = encode(presence);
  const Presence back = from_client<Presence>(bytes);
  EXPECT_EQ(back.name, presence.name);
  EXPECT_EQ(back.colour, presence.colour);
  EXPECT_EQ(back.selections, presence.selections);
}

TEST(ClientMessages, HeartbeatReply) {
  const std::string with = encode(HeartbeatReply{5, 0xfedcba9876543210});
  EXPECT_EQ(from_client<HeartbeatReply>(with).state_hash, 0xfedcba9876543210);
  const std::string without = encode(HeartbeatReply{6, std::nullopt});
  EXPECT_EQ(from_client<HeartbeatReply>(without).applied, 6u);
  EXPECT_FALSE(from_client<HeartbeatReply>(without).state_hash.has_value());
}

TEST(ServerMessages, Welcome) {
  const Welcome welcome = some_welcome();
  const std::string bytes = encode(welcome);
  const Welcome back = from_server<Welcome>(bytes);
  EXPECT_EQ(back.version, welcome.version);
  EXPECT_EQ(back.session, welcome.session);
  EXPECT_EQ(back.sid, welcome.sid);
  EXPECT_EQ(back.acked_seq, welcome.acked_seq);
  EXPECT_EQ(back.incarnation, welcome.incarnation);
  EXPECT_EQ(back.ssn, welcome.ssn);
  EXPECT_EQ(back.last_index, welcome.last_index);
  EXPECT_TRUE(back.snapshot_follows);
  EXPECT_EQ(back.snapshot_bytes, welcome.snapshot_bytes);
  EXPECT_EQ(back.heartbeat_ms, welcome.heartbeat_ms);
  EXPECT_EQ(back.max_message_bytes, welcome.max_message_bytes);
  EXPECT_EQ(back.server, welcome.server);
  EXPECT_EQ(back.horizon, welcome.horizon);
}

TEST(ServerMessages, SnapshotAndOperations) {
  const std::string chunk = encode(SnapshotChunk{9, 128, "part"});
  EXPECT_EQ(from_server<SnapshotChunk>(chunk).at_index, 9u);
  EXPECT_EQ(from_server<SnapshotChunk>(chunk).offset, 128u);
  EXPECT_EQ(from_server<SnapshotChunk>(chunk).bytes, "part");
  const std::string rows = encode(Operations{10, 2, "stream"});
  EXPECT_EQ(from_server<Operations>(rows).first_index, 10u);
  EXPECT_EQ(from_server<Operations>(rows).count, 2u);
  EXPECT_EQ(from_server<Operations>(rows).operations, "stream");
}

TEST(ServerMessages, AckHeartbeatRefused) {
  const std::string ack = encode(Ack{12, 34});
  EXPECT_EQ(from_server<Ack>(ack).seq, 12u);
  EXPECT_EQ(from_server<Ack>(ack).index, 34u);
  EXPECT_FALSE(from_server<Ack>(ack).rebased);
  EXPECT_TRUE(from_server<Ack>(encode(Ack{12, 34, true})).rebased);
  const std::string beat = encode(Heartbeat{34, 99});
  EXPECT_EQ(from_server<Heartbeat>(beat).index, 34u);
  EXPECT_EQ(from_server<Heartbeat>(beat).state_hash, 99u);
  const std::string refused = encode(Refused{4409, "lineage_mismatch", "why"});
  EXPECT_EQ(from_server<Refused>(refused).close_code, 4409u);
  EXPECT_EQ(from_server<Refused>(refused).code, "lineage_mismatch");
  EXPECT_EQ(from_server<Refused>(refused).message, "why");
}

TEST(ServerMessages, Peers) {
  const std::string bytes = encode(some_peers());
  const Peers back = from_server<Peers>(bytes);
  ASSERT_EQ(back.peers.size(), 2u);
  EXPECT_EQ(back.peers[0].session, 3u);
  EXPECT_TRUE(back.peers[0].present);
  EXPECT_EQ(back.peers[0].sid, 9u);
  EXPECT_EQ(back.peers[0].state.selections, some_presence().selections);
  EXPECT_EQ(back.peers[1].session, 4u);
  EXPECT_FALSE(back.peers[1].present);
}

// --- what is cut, unknown, or longer -------------------------------------------------------------

/// `whole` says from how many bytes on the message may be understood: all of them, unless its last
/// field goes to the end of the message.
template <class Decode>
void expect_cuts_refused(const std::string& bytes, std::size_t whole, Decode decode) {
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    // A copy of exactly n bytes: a sanitizer sees a read past its end.
    const std::string cut(bytes.data(), n);
    const auto decoded = decode(cut);
    ASSERT_EQ(decoded.ok(), n >= whole) << n << " of " << bytes.size();
    if (!decoded.ok()) {
      EXPECT_EQ(decoded.error().code, "malformed_message");
      EXPECT_EQ(decoded.error().error_class, ErrorClass::invalid);
    }
  }
}

TEST(ClientMessages, CutAnywhere) {
  const auto decode = [](std::string_view b) { return decode_client_message(b, limits); };
  for (const std::string& bytes :
       {encode(some_hello()), encode(some_presence()), encode(HeartbeatReply{300, 1})}) {
    expect_cuts_refused(bytes, bytes.size(), decode);
  }
  expect_cuts_refused(encode(Push{300, "abc"}), 3, decode);
}

TEST(ServerMessages, CutAnywhere) {
  for (const std::string& bytes :
       {encode(some_welcome()), encode(Ack{300, 400}), encode(some_peers()),
        encode(Heartbeat{300, 7}), encode(Refused{4400, "code", "message"}),
        encode(Access{3, 300, "name"})}) {
    expect_cuts_refused(bytes, bytes.size(), decode_server_message);
  }
  expect_cuts_refused(encode(SnapshotChunk{300, 1, "abc"}), 4, decode_server_message);
  expect_cuts_refused(encode(Operations{300, 1, "abc"}), 4, decode_server_message);
}

TEST(Messages, UnknownKindsAreIgnored) {
  for (int kind = 0; kind < 256; ++kind) {
    const std::string bytes = bytes_of({kind});
    if (kind < 1 || kind > 5) {
      const auto decoded = decode_client_message(bytes, limits);
      EXPECT_TRUE(decoded.ok() && !decoded->has_value()) << kind;
    }
    if (kind < 0x81 || kind > 0x88) {
      const auto decoded = decode_server_message(bytes);
      EXPECT_TRUE(decoded.ok() && !decoded->has_value()) << kind;
    }
  }
}

TEST(Messages, TrailingBytesAreIgnored) {
  const std::string more = "\x01\xff more";
  const std::string hello = encode(some_hello()) + more;
  EXPECT_EQ(encode(from_client<Hello>(hello)), encode(some_hello()));
  const std::string presence = encode(some_presence()) + more;
  EXPECT_EQ(encode(from_client<Presence>(presence)), encode(some_presence()));
  const std::string reply = encode(HeartbeatReply{1, 2}) + more;
  EXPECT_EQ(encode(from_client<HeartbeatReply>(reply)), encode(HeartbeatReply{1, 2}));
  const std::string welcome = encode(some_welcome()) + more;
  EXPECT_EQ(encode(from_server<Welcome>(welcome)), encode(some_welcome()));
  const std::string ack = encode(Ack{1, 2}) + more;
  EXPECT_EQ(from_server<Ack>(ack).index, 2u);
  const std::string peers = encode(some_peers()) + more;
  EXPECT_EQ(encode(from_server<Peers>(peers)), encode(some_peers()));
}

// --- limits --------------------------------------------------------------------------------------

std::string_view refusal_of(std::string_view bytes, const Limits& with = limits) {
  const auto decoded = decode_client_message(bytes, with);
  return decoded.ok() ? std::string_view("none") : decoded.error().code;
}

TEST(Limits, WholeMessage) {
  Limits small;
  small.max_message_bytes = 10;
  const std::string fits = encode(Push{1, "12345678"});
  ASSERT_EQ(fits.size(), 10u);
  EXPECT_EQ(refusal_of(fits, small), "none");
  EXPECT_EQ(refusal_of(fits + "9", small), "too_large");
}

TEST(Limits, HelloAndToken) {
  const std::string token(limits.max_token_bytes, 't');
  Hello hello = some_hello();
  hello.token = token;
  EXPECT_EQ(refusal_of(encode(hello)), "none");
  const std::string longer = token + "t";
  hello.token = longer;
  EXPECT_EQ(refusal_of(encode(hello)), "malformed_message");

  std::string padded = encode(some_hello());
  padded.resize(limits.max_hello_bytes, 'x');
  EXPECT_EQ(refusal_of(padded), "none");
  EXPECT_EQ(refusal_of(padded + "x"), "too_large");
}

TEST(Limits, PresenceNameSelectionsAndSize) {
  Presence presence;
  const std::string name(limits.max_presence_name_bytes, 'n');
  presence.name = name;
  presence.colour = 0xffffff;
  presence.selections.resize(limits.max_presence_selections);
  std::string bytes = encode(presence);
  EXPECT_EQ(refusal_of(bytes), "none");
  bytes.resize(limits.max_presence_bytes, 'x');
  EXPECT_EQ(refusal_of(bytes), "none");
  EXPECT_EQ(refusal_of(bytes + "x"), "too_large");

  Presence more_selections = presence;
  more_selections.selections.emplace_back();
  EXPECT_EQ(refusal_of(encode(more_selections)), "malformed_message");
  Presence longer_name = presence;
  const std::string longer = name + "n";
  longer_name.name = longer;
  EXPECT_EQ(refusal_of(encode(longer_name)), "malformed_message");
  Presence brighter = presence;
  brighter.colour = 0x1000000;
  EXPECT_EQ(refusal_of(encode(brighter)), "malformed_message");
}

TEST(Limits, IntegersStayExactInJavaScript) {
  EXPECT_EQ(refusal_of(encode(Push{rga::max_integer, ""})), "none");
  EXPECT_EQ(refusal_of(encode(Push{rga::max_integer + 1, ""})), "malformed_message");
}

TEST(ClientMessages, FieldsThatContradictThemselves) {
  Hello hello = some_hello();
  hello.version_min = 4;  // above version_max
  EXPECT_EQ(refusal_of(encode(hello)), "malformed_message");
  Presence presence = some_presence();
  presence.name = "\xff";
  EXPECT_EQ(refusal_of(encode(presence)), "malformed_message");
  presence = some_presence();
  presence.selections[0].anchor.element = {0, 3};  // half a head
  EXPECT_EQ(refusal_of(encode(presence)), "malformed_message");
  std::string side = encode(Presence{"", 0, {Selection{}}});
  side.back() = 2;
  EXPECT_EQ(refusal_of(side), "malformed_message");
  EXPECT_EQ(refusal_of(""), "malformed_message");
}

TEST(CloseCodes, FollowFromTheClassOfTheError) {
  const auto code = [](ErrorClass c) { return static_cast<int>(close_code_for({c, "x", ""})); };
  EXPECT_EQ(code(ErrorClass::invalid), 4400);
  EXPECT_EQ(code(ErrorClass::denied), 4403);
  EXPECT_EQ(code(ErrorClass::not_found), 4404);
  EXPECT_EQ(code(ErrorClass::gone), 4404);
  EXPECT_EQ(code(ErrorClass::conflict), 4409);
  EXPECT_EQ(code(ErrorClass::too_large), 1009);
  EXPECT_EQ(code(ErrorClass::overloaded), 4503);
  EXPECT_EQ(code(ErrorClass::unavailable), 4500);
  EXPECT_EQ(code(ErrorClass::corrupt), 4500);
}

// --- docs/PROTOCOL.md's examples -----------------------------------------------------------------

// Site 7 types "ab" in an empty document, as two operations, then deletes the "b".
const std::string example = bytes_of({0x3c, 1, 7, 1, 1, 0x61, 0x20, 0x62, 0x21});

TEST(ProtocolPage, TheExampleStreamReads) {
  rga::OpReader reader(example);
  rga::Operation op;
  ASSERT_TRUE(reader.next(op));
  EXPECT_EQ(op.kind, rga::OpKind::insert);
  EXPECT_EQ(op.id, (rga::S4Vector{1, 1, 7, 1}));
  EXPECT_TRUE(op.ref.is_head());
  EXPECT_EQ(op.text, "a");
  ASSERT_TRUE(reader.next(op));
  EXPECT_EQ(op.kind, rga::OpKind::insert);
  EXPECT_EQ(op.id, (rga::S4Vector{1, 2, 7, 2}));
  EXPECT_EQ(op.ref, (rga::ElementId{7, 1}));
  EXPECT_EQ(op.text, "b");
  ASSERT_TRUE(reader.next(op));
  EXPECT_EQ(op.kind, rga::OpKind::erase);
  EXPECT_EQ(op.id, (rga::S4Vector{1, 3, 7, 3}));
  EXPECT_EQ(op.ref, (rga::ElementId{7, 2}));
  EXPECT_EQ(op.len, 1u);
  EXPECT_FALSE(reader.next(op));
  EXPECT_FALSE(reader.failed());
}

TEST(ProtocolPage, ADocumentWritesTheExampleStream) {
  rga::Document document;
  document.set_local_site(7);
  rga::OpWriter out;
  ASSERT_EQ(document.insert({0}, "a", &out), rga::EditOutcome::done);
  ASSERT_EQ(document.insert({1}, "b", &out), rga::EditOutcome::done);
  ASSERT_EQ(document.erase({1}, 1, &out), rga::EditOutcome::done);
  EXPECT_EQ(out.bytes(), example);
}

TEST(ProtocolPage, TheStateHashIsTheChecksumOfTheRuns) {
  rga::Document document;
  rga::OpReader reader(example);
  rga::Operation op;
  while (reader.next(op)) ASSERT_EQ(document.apply(op), rga::ApplyOutcome::applied);
  // Run 1: (1, 1, 7, 1), one visible element, "a". Run 2: (1, 2, 7, 2), one tombstone.
  const std::string runs = bytes_of({1, 1, 7, 1, 2, 0x61, 1, 2, 7, 2, 3});
  // checksum64 by the page: length, words with zero padding, two finishing steps.
  std::uint64_t h = 0xcbf29ce484222325 ^ runs.size();
  for (std::size_t at = 0; at < runs.size(); at += 8) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8 && at + i < runs.size(); ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(runs[at + i])} << (8 * i);
    }
    h = (h ^ word) * 0x100000001b3;
    h ^= h >> 29;
  }
  h *= 0x9e3779b97f4a7c15;
  h ^= h >> 32;
  EXPECT_EQ(checksum64(runs), h);
  EXPECT_EQ(document.state_hash(), h);
}

/// The state after the example stream.
rga::Document example_document() {
  rga::Document document(1);
  rga::OpReader reader(example);
  rga::Operation op;
  while (reader.next(op)) EXPECT_EQ(document.apply(op), rga::ApplyOutcome::applied);
  return document;
}

TEST(ProtocolPage, TheExampleSnapshotIsWhatADocumentSaves) {
  const std::string page =
      bytes_of({0x57, 0x45, 0x46, 0x54, 2,    1,    1,    7,    3,    0,    2,    2,
                0,    2,    2,    2,    3,    2,    2,    0,    2,    0,    2,    0,
                0,    1,    1,    0x61, 0x62, 0x3e, 0x66, 0x0b, 0xaa, 0xe8, 0x5b, 0x64});
  std::string saved;
  example_document().save(saved);
  EXPECT_EQ(saved, page);
}

TEST(ProtocolPage, TheExampleSession) {
  const auto client = Uuid::parse("00112233-4455-4677-8899-aabbccddeeff");
  const auto incarnation = Uuid::parse("a0a1a2a3-a4a5-46a7-a8a9-aaabacadaeaf");
  ASSERT_TRUE(client && incarnation);
  Hello hello;
  hello.version_min = hello.version_max = 1;
  hello.client = *client;
  EXPECT_EQ(encode(hello),
            bytes_of({1,    1,    1,    0,    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46,
                      0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0}));

  std::string nothing;
  rga::Document(1).save(nothing);
  EXPECT_EQ(encode(SnapshotChunk{0, 0, nothing}),
            bytes_of({0x82, 0, 0, 0x57, 0x45, 0x46, 0x54, 2,    1,    0,    0,    0,    0,   0,
                      0,    0, 0, 0,    0,    0x39, 0xf9, 0xcb, 0xcc, 0xab, 0x5f, 0x1a, 0x1c}));
  Welcome welcome;
  welcome.version = 1;
  welcome.session = 5;
  welcome.sid = 7;
  welcome.incarnation = *incarnation;
  welcome.ssn = 1;
  welcome.snapshot_follows = true;
  welcome.snapshot_bytes = nothing.size();
  welcome.heartbeat_ms = 2000;
  welcome.max_message_bytes = 1 << 20;
  welcome.server = "weft 0.1.0";
  EXPECT_EQ(
      encode(welcome),
      bytes_of({0x81, 1,    5,    7,    0,    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0x46, 0xa7, 0xa8,
                0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 1,    0,    1,    0x18, 0xd0, 0x0f, 0x80,
                0x80, 0x40, 0x0a, 0x77, 0x65, 0x66, 0x74, 0x20, 0x30, 0x2e, 0x31, 0x2e, 0x30, 0}));

  EXPECT_EQ(encode(Push{0, example}), bytes_of({2, 0}) + example);
  EXPECT_EQ(encode(Ack{3, 3, false}), bytes_of({0x84, 3, 3, 0}));
  EXPECT_EQ(encode(Operations{1, 3, example}), bytes_of({0x83, 1, 3}) + example);

  const rga::Anchor right_of_a{{7, 1}, rga::Anchor::Side::after};
  const Presence ada{"Ada", 0xd6477f, {{right_of_a, right_of_a}}};
  const std::string shown = bytes_of(
      {0x03, 0x41, 0x64, 0x61, 0xff, 0x8e, 0xd9, 0x06, 0x01, 0x07, 0x01, 0x01, 0x07, 0x01, 0x01});
  EXPECT_EQ(encode(ada), bytes_of({3}) + shown);
  EXPECT_EQ(encode(Peers{{{5, true, 7, ada}}}), bytes_of({0x85, 1, 5, 1, 7}) + shown);

  const std::string hash = bytes_of({0x63, 0xad, 0x11, 0x31, 0x80, 0x77, 0xee, 0x9b});
  EXPECT_EQ(encode(Heartbeat{3, example_document().state_hash()}), bytes_of({0x86, 3, 1}) + hash);
  EXPECT_EQ(encode(HeartbeatReply{3, example_document().state_hash()}), bytes_of({4, 3, 1}) + hash);
}

}  // namespace
}  // namespace weft::wire

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

/// What fuzz_token and fuzz_key_set begin with.
bool put_access(const std::filesystem::path& top) {
  const std::string jwk =
      R"({"kty":"EC","crv":"P-256","kid":"k","alg":"ES256","use":"sig","key_ops":["verify"],)"
      R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
  const std::string pem =
      "-----BEGIN PUBLIC KEY-----\n"
      "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
      "-----END PUBLIC KEY-----\n";
  bool good = put(top / "fuzz_token", "user",
                  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}\n"
                  R"({"sub":"ada","name":"Ada","jti":"1","iat":1,"nbf":1,"exp":1700000060})");
  good &= put(top / "fuzz_token", "document",
              "{\"alg\":\"HS256\",\"kid\":\"k\"}\n"
              R"({"sub":"a","exp":1.8e9,"weft_kind":"guest","weft_role":"editor",)"
              R"("weft_doc":"0190163d-8694-739b-aea5-966c26f8ad91"})");
  good &= put(top / "fuzz_token", "handed_on",
              "{\"alg\":\"HS256\"}\n"
              R"({"sub":"a","jti":"3","exp":1800000000,"weft_role":"owner","weft_by":"b",)"
              R"("weft_doc":"0190163d-8694-739b-aea5-966c26f8ad91","weft_via":["2","1"]})");
  good &= put(top / "fuzz_token", "admin",
              "{\"alg\":\"HS256\"}\n"
              R"({"sub":"a","exp":1800000000,"weft_admin":true})");
  good &=
      put(top / "fuzz_token", "compact",
          "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
          "09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  good &= put(top / "fuzz_key_set", "jwks", R"({"keys":[)" + jwk + "]}");
  good &= put(top / "fuzz_key_set", "jwk", R"({"kty":"oct","k":")" + std::string(43, 'A') + "\"}");
  good &= put(top / "fuzz_key_set", "pem", pem);
  good &= put(top / "fuzz_key_set", "secret", std::string(43, 'A') + "\n");
  return good;
}

/// What fuzz_operation_json begins with, beside streams.
bool put_operation_json(const std::filesystem::path& top) {
  const std::string insert =
      R"({"kind":"insert","ssn":1,"sum":3,"sid":7,"seq":2,"len":2,"ref":null,"value":"\u00fc\n"})";
  const std::string update =
      R"({"kind":"update","ssn":1,"sum":3,"sid":7,"seq":2,"len":1,"ref":{"sid":7,"seq":1},)"
      R"("value":"\ud83d\ude00"})";
  bool good = put(top / "fuzz_operation_json", "insert", std::string(1, '\0') + insert);
  good &= put(top / "fuzz_operation_json", "update", std::string(1, '\0') + update);
  for (const std::string kind : {"erase", "erase_back", "purge"}) {
    good &= put(top / "fuzz_operation_json", kind,
                std::string(1, '\0') + R"({"kind":")" + kind +
                    R"(","ssn":1,"sum":4,"sid":7,"seq":3,"len":1,"ref":{"sid":9,"seq":1}})");
  }
  return good;
}

/// What fuzz_bus_message begins with.
bool put_bus_messages(const std::filesystem::path& top) {
  const std::string body =
      R"("MessageId":"1","TopicArn":"arn:aws:sns:eu-central-1:1:t","Message":"m",)"
      R"("Timestamp":"2026-11-30T07:00:00.123Z","SignatureVersion":"2","Signature":"AAAA",)"
      R"("SigningCertURL":"https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem")";
  const std::string confirmation =
      R"({"Type":"SubscriptionConfirmation","Token":"2","SubscribeURL":"https://a.example/",)" +
      body;
  bool good = put(top / "fuzz_bus_message", "notification",
                  std::string(1, '\0') + R"({"Type":"Notification","Subject":"s",)" + body + "}");
  good &= put(top / "fuzz_bus_message", "confirmation", std::string(1, '\0') + confirmation + "}");
  // The version, "ab", "c".
  good &= put(top / "fuzz_bus_message", "frame", std::string(1, '\1') + "AQJhYgFj");
  return good;
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
  bool good = put_access(top) && put_operation_json(top) && put_bus_messages(top);
  for (const Sample& s : {sample("ascii", "hello world, hello", false, false),
                          sample("wide", wide, true, false), sample("updated", wide, true, true)}) {
    good &= put(top / "fuzz_op_stream", s.name, s.stream);
    good &= put(top / "fuzz_operation_json", s.name, std::string(1, '\1') + s.stream);
    // Bit 1: an archive of the stream, of which byte 9 is changed by nothing, and by something.
    good &= put(top / "fuzz_archive", s.name, std::string("\2\0\x9\0", 4) + s.stream);
    good &= put(top / "fuzz_archive", s.name + "_damaged", std::string("\2\0\x9\1", 4) + s.stream);
    good &=
        put(top / "fuzz_archive", s.name + "_authors", std::string("\2\x80\x50\1", 4) + s.stream);
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

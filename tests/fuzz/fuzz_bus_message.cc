// What the bus hands over before anybody has looked at its seal or signature: a payload is no
// frame, or messages that make the same payload again; a body is refused with its code, or an
// envelope that holds what it promises. First byte: bit 0: a frame, otherwise an envelope of SNS.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "bus/frame.h"
#include "bus/sns_envelope.h"

using namespace weft;
using bus::Frame;
using bus::SnsEnvelope;

namespace {

constexpr std::size_t max_payload = 16384;

void check_frame(std::string_view payload) {
  const auto messages = Frame::read(payload);
  if (!messages) return;
  WEFT_CHECK(!messages->empty());
  Frame frame(max_payload);
  for (const std::string& message : *messages) WEFT_CHECK(frame.add(message));
  const auto again = Frame::read(frame.payload());
  WEFT_CHECK(again && *again == *messages);
}

void check_envelope(std::string_view body) {
  const auto envelope = SnsEnvelope::read(body);
  if (!envelope.ok()) {
    WEFT_CHECK(envelope.error().error_class == ErrorClass::invalid);
    WEFT_CHECK(envelope.error().code == "bad_sns_message");
    return;
  }
  const bool confirms = envelope->kind == SnsEnvelope::Kind::confirmation;
  WEFT_CHECK(confirms != envelope->token.empty() && confirms != envelope->subscribe_url.empty());
  WEFT_CHECK(!envelope->signature.empty() && !envelope->topic_arn.empty());
  WEFT_CHECK(envelope->signed_text().ends_with(envelope->type + "\n"));
  // Nothing but a certificate's own host passes, whatever else the body says.
  const bus::SnsRules rules{"eu-central-1", envelope->topic_arn};
  if (check_origin(*envelope, rules, envelope->time).ok()) {
    WEFT_CHECK(envelope->certificate_url.starts_with("https://sns.eu-central-1.amazonaws.com/"));
  }
  WEFT_CHECK(!check_signature(*envelope, "no certificate").ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > max_payload / 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) {
    check_frame(bytes);
  } else {
    check_envelope(bytes);
  }
  return 0;
}

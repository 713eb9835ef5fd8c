#include "bus/sns_envelope.h"

#include <openssl/evp.h>
#include <time.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "bus/pem_certificate.h"

namespace weft::bus {
namespace {

namespace json = boost::json;

constexpr std::size_t max_field_bytes = 4'096;
constexpr int min_rsa_bits = 2'048;

Error bad(std::string why) { return {ErrorClass::invalid, "bad_sns_message", std::move(why)}; }

/// Standard base64 with its padding, in the one form that encoding gives.
std::optional<std::string> from_base64(const std::string& text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size != static_cast<int>(bytes.size())) return std::nullopt;
  bytes.resize(bytes.size() - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  std::string again(text.size() + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(again.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  again.pop_back();
  if (again != text) return std::nullopt;
  return bytes;
}

/// Of "2026-11-30T07:00:00.123Z", that form alone.
std::optional<std::chrono::system_clock::time_point> time_of(const std::string& text) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool fits = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
    if (!fits) return std::nullopt;
  }
  std::tm parts{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return std::nullopt;
  // The clock counts nanoseconds in 64 bits: it ends in 2262.
  if (parts.tm_year < 2000 - 1900 || parts.tm_year > 2200 - 1900) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts)) +
         std::chrono::milliseconds(std::stoi(text.substr(20, 3)));
}

class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}
  /// Of what stands on a line of the signed text: a line's end within would be another field.
  std::string line(std::string_view name) {
    std::string text = free_text(name);
    if (text.empty() || text.size() > max_field_bytes ||
        text.find_first_of("\r\n") != std::string::npos) {
      fail(name);
    }
    return text;
  }
  std::string free_text(std::string_view name) {
    const json::value* const value = object_.if_contains(name);
    if (value == nullptr || !value->is_string()) {
      fail(name);
      return {};
    }
    return std::string(value->get_string());
  }
  void fail(std::string_view name) {
    if (failed_.empty()) failed_ = name;
  }
  const std::string& failed() const { return failed_; }

 private:
  const json::object& object_;
  std::string failed_;
};

}  // namespace

Error sns_rejected(std::string why) {
  return {ErrorClass::denied, "sns_message_rejected", std::move(why)};
}

Result<SnsEnvelope> SnsEnvelope::read(std::string_view body) {
  if (body.size() > max_body_bytes) return bad("too long");
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = 2;
  const json::value value = json::parse(body, failed, {}, options);
  if (failed || !value.is_object()) return bad("no JSON object");
  const json::object& object = value.get_object();
  Fields fields(object);
  SnsEnvelope envelope;
  envelope.type = fields.line("Type");
  if (envelope.type == "SubscriptionConfirmation") {
    envelope.kind = Kind::confirmation;
    envelope.token = fields.line("Token");
    envelope.subscribe_url = fields.line("SubscribeURL");
  } else if (envelope.type != "Notification") {
    return bad("a type that is not wanted");
  }
  envelope.has_subject = object.contains("Subject") && envelope.kind == Kind::notification;
  if (envelope.has_subject) envelope.subject = fields.free_text("Subject");
  envelope.message_id = fields.line("MessageId");
  envelope.topic_arn = fields.line("TopicArn");
  envelope.message = fields.free_text("Message");
  envelope.timestamp = fields.line("Timestamp");
  envelope.certificate_url = fields.line("SigningCertURL");
  const std::string version = fields.line("SignatureVersion");
  if (version != "1" && version != "2") fields.fail("SignatureVersion");
  envelope.signature_version = version == "1" ? 1 : 2;
  const auto signature = from_base64(fields.line("Signature"));
  if (!signature) fields.fail("Signature");
  const auto time = time_of(envelope.timestamp);
  if (!time) fields.fail("Timestamp");
  if (!fields.failed().empty()) return bad("the field " + fields.failed());
  envelope.signature = *signature;
  envelope.time = *time;
  return envelope;
}

std::string SnsEnvelope::signed_text() const {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& value) {
    text.append(name).append("\n").append(value).append("\n");
  };
  add("Message", message);
  add("MessageId", message_id);
  if (kind == Kind::confirmation) {
    add("SubscribeURL", subscribe_url);
  } else if (has_subject) {
    add("Subject", subject);
  }
  add("Timestamp", timestamp);
  if (kind == Kind::confirmation) add("Token", token);
  add("TopicArn", topic_arn);
  add("Type", type);
  return text;
}

bool is_sns_certificate_url(std::string_view url, std::string_view region) {
  std::string host = "https://sns." + std::string(region) + ".amazonaws.com";
  if (region.starts_with("cn-")) host += ".cn";
  host += '/';
  if (!url.starts_with(host)) return false;
  const std::string_view file = url.substr(host.size());
  // One file, as SNS names it: no folder, no "..", no query, no escape.
  const bool plain = std::all_of(file.begin(), file.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
  return plain && file.size() <= 200 && file.starts_with("SimpleNotificationService-") &&
         file.ends_with(".pem");
}

Status check_origin(const SnsEnvelope& envelope, const SnsRules& rules,
                    std::chrono::system_clock::time_point now) {
  if (envelope.topic_arn != rules.topic_arn) return sns_rejected("another topic");
  if (!is_sns_certificate_url(envelope.certificate_url, rules.region)) {
    return sns_rejected("a certificate from elsewhere");
  }
  if (envelope.time < now - rules.oldest) return sns_rejected("too old");
  if (envelope.time > now + rules.newest) return sns_rejected("of the future");
  return ok_status();
}

Status check_signature(const SnsEnvelope& envelope, std::string_view certificate_pem) {
  const access::Owned<X509> certificate = certificate_of(certificate_pem);
  EVP_PKEY* const key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
      EVP_PKEY_get_bits(key) < min_rsa_bits) {
    return sns_rejected("no certificate with a key of RSA");
  }
  const std::string text = envelope.signed_text();
  const EVP_MD* const digest = envelope.signature_version == 1 ? EVP_sha1() : EVP_sha256();
  const access::Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const bool signed_by_key =
      context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(),
                       reinterpret_cast<const unsigned char*>(envelope.signature.data()),
                       envelope.signature.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  if (!signed_by_key) return sns_rejected("the signature does not match");
  return ok_status();
}

}  // namespace weft::bus

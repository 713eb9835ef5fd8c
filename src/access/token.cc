#include "access/token.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "access/base64url.h"
#include "access/claims_json.h"
#include "access/claims_text.h"
#include "access/strict_json.h"

namespace weft::access {
namespace {

namespace json = boost::json;

Error malformed() {
  return {ErrorClass::denied, "token_malformed", "The access token is not one."};
}
Error unknown_key() {
  return {ErrorClass::denied, "token_unknown_key",
          "No key here belongs to the access token's kid and alg."};
}
Error bad_signature() {
  return {ErrorClass::denied, "token_bad_signature", "The access token's signature is wrong."};
}
Error bad_claims() {
  return {ErrorClass::denied, "token_bad_claims",
          "The access token lacks a claim, or has one out of its range."};
}
Error wrong_issuer() {
  return {ErrorClass::denied, "token_wrong_issuer", "The access token is of another issuer."};
}
Error wrong_audience() {
  return {ErrorClass::denied, "token_wrong_audience", "The access token is for another audience."};
}
Error not_yet_valid() {
  return {ErrorClass::denied, "token_not_yet_valid", "The access token is not valid yet."};
}
Error expired() { return {ErrorClass::denied, "token_expired", "The access token has ended."}; }

/// The three parts; signed is the first two with their dot, as it stands in the token.
struct Parts {
  std::string_view signed_text;
  std::string header;
  std::string payload;
  std::string signature;
};

std::optional<Parts> split(std::string_view token) {
  if (token.size() > max_token_bytes) return std::nullopt;
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  // Another dot is refused with the signature's letters.
  auto header = from_base64url(token.substr(0, first));
  auto payload = from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = from_base64url(token.substr(second + 1));
  if (!header || !payload || !signature) return std::nullopt;
  return Parts{token.substr(0, second), *std::move(header), *std::move(payload),
               *std::move(signature)};
}

struct Header {
  std::string_view algorithm;
  std::optional<std::string_view> key_id;
};

/// Borrowed from `object`. Whatever else stands there (jku, jwk, x5u, x5c) is not looked at.
std::optional<Header> read_header(const json::object& object) {
  const auto algorithm = string_member(object, "alg");
  // An extension that must be understood is one that we do not have.
  if (!algorithm || object.contains("crit")) return std::nullopt;
  const auto key_id = string_member(object, "kid");
  if (object.contains("kid") && !key_id) return std::nullopt;
  return Header{*algorithm, key_id};
}

Status check_signature(const KeySet& keys, const Parts& parts) {
  const auto object = parse_strict_object(parts.header);
  const auto header = object ? read_header(*object) : std::nullopt;
  if (!header) return malformed();
  // "none" and its like are in no key's list.
  const auto algorithm = parse_algorithm(header->algorithm);
  bool any = false;
  for (const Key& key : keys.keys()) {
    if (key.algorithm() != algorithm) continue;
    if (header->key_id && *header->key_id != key.id()) continue;
    if (key.verifies(parts.signed_text, parts.signature)) return ok_status();
    any = true;
  }
  return any ? bad_signature() : unknown_key();
}

bool is_for(const json::object& payload, std::string_view audience) {
  const json::value* aud = payload.if_contains("aud");
  const json::array* list = aud == nullptr ? nullptr : aud->if_array();
  if (list == nullptr) return string_member(payload, "aud") == audience;
  return std::any_of(list->begin(), list->end(), [&](const json::value& one) {
    return one.is_string() && one.get_string() == as_json(audience);
  });
}

/// With claims that a verifier would refuse.
std::string what_is_wrong(const Claims& claims) {
  const auto range = [](std::string_view what, std::size_t least, std::size_t most) {
    return std::string(what) + " takes " + std::to_string(least) + " to " + std::to_string(most) +
           " bytes of UTF-8, without control characters and marks of direction.";
  };
  if (!is_printable(claims.user, 1, max_user_bytes))
    return range("The user (sub)", 1, max_user_bytes);
  if (!is_printable(claims.name, 0, max_name_bytes)) return range("The name", 0, max_name_bytes);
  if (!is_printable(claims.token_id, 0, max_token_id_bytes)) {
    return range("The token's id (jti)", 0, max_token_id_bytes);
  }
  if (claims.expires_s < 0 || claims.expires_s > max_time_s) {
    return "The token would end after " + std::to_string(max_time_s) + " in Unix time.";
  }
  if (claims.is_admin && claims.document) return "A token is an admin's or of one document.";
  return "The claims contradict each other, or one is out of its range.";
}

}  // namespace

Verifier::Verifier(KeySet keys, VerifierOptions options)
    : keys_(std::move(keys)), options_(std::move(options)) {}

Result<Claims> Verifier::verify(std::string_view token, std::int64_t now_s) const {
  const auto parts = split(token);
  if (!parts) return malformed();
  if (const Status status = check_signature(keys_, *parts); !status.ok()) return status.error();

  const auto payload = parse_strict_object(parts->payload);
  if (!payload) return bad_claims();
  if (!options_.issuer.empty() && string_member(*payload, "iss") != options_.issuer) {
    return wrong_issuer();
  }
  if (!options_.audience.empty() && !is_for(*payload, options_.audience)) return wrong_audience();
  auto read = read_claims(*payload);
  if (!read) return bad_claims();
  if (has_ended(read->claims, now_s)) return expired();
  const std::int64_t begins_s = std::max(read->not_before_s.value_or(0), read->claims.issued_s);
  if (now_s + leeway_s < begins_s) return not_yet_valid();
  return std::move(read->claims);
}

Result<std::string> mint(const Key& key, const Claims& claims, std::string_view issuer,
                         std::string_view audience) {
  json::object payload;
  if (!issuer.empty()) payload["iss"] = as_json(issuer);
  if (!audience.empty()) payload["aud"] = as_json(audience);
  for (auto& member : write_claims(claims)) payload[member.key()] = std::move(member.value());
  const std::string payload_text = json::serialize(payload);
  // As a verifier will see it: also refuses what is no UTF-8.
  const auto seen = parse_strict_object(payload_text);
  const auto read = seen ? read_claims(*seen) : std::nullopt;
  if (!read || read->claims != claims) {
    return Error{ErrorClass::invalid, "bad_claims", what_is_wrong(claims)};
  }
  const json::object header = {
      {"alg", as_json(to_string(key.algorithm()))}, {"typ", "JWT"}, {"kid", as_json(key.id())}};
  std::string token = to_base64url(json::serialize(header)) + '.' + to_base64url(payload_text);
  const auto signature = key.sign(token);
  if (!signature.ok()) return signature.error();
  token += '.' + to_base64url(*signature);
  if (token.size() > max_token_bytes) {
    return Error{ErrorClass::invalid, "bad_claims",
                 "The token would be longer than " + std::to_string(max_token_bytes) + " bytes."};
  }
  return token;
}

Result<TokenText> read_unverified(std::string_view token) {
  auto parts = split(token);
  if (!parts || !parse_strict_object(parts->header) || !parse_strict_object(parts->payload)) {
    return malformed();
  }
  return TokenText{std::move(parts->header), std::move(parts->payload)};
}

}  // namespace weft::access

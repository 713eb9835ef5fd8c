#include "bus/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace weft::bus {
namespace {

constexpr std::string_view head = "\x57\x01";
constexpr std::string_view label = "weft bus\n";

}  // namespace

std::optional<SealSecret> SealSecret::from(std::string_view secret) {
  if (secret.size() != bytes) return std::nullopt;
  SealSecret made;
  std::copy(secret.begin(), secret.end(), made.secret_.begin());
  return made;
}

SealSecret::~SealSecret() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

SealSecret::Code SealSecret::code_of(std::string_view message) const {
  std::string covered;
  covered.reserve(label.size() + head.size() + message.size());
  covered.append(label).append(head).append(message);
  Code code{};
  unsigned int size = 0;
  WEFT_CHECK(HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
                  reinterpret_cast<const unsigned char*>(covered.data()), covered.size(),
                  code.data(), &size) != nullptr);
  WEFT_CHECK(size == code.size());
  return code;
}

std::string SealSecret::seal(std::string_view message) const {
  const Code code = code_of(message);
  std::string sealed;
  sealed.reserve(overhead_bytes + message.size());
  sealed.append(head);
  sealed.append(code.begin(), code.end());
  sealed.append(message);
  return sealed;
}

std::optional<std::string_view> SealSecret::open(std::string_view sealed) const {
  if (sealed.size() < overhead_bytes || !sealed.starts_with(head)) return std::nullopt;
  const std::string_view message = sealed.substr(overhead_bytes);
  const Code code = code_of(message);
  if (CRYPTO_memcmp(code.data(), sealed.data() + head.size(), code.size()) != 0) {
    return std::nullopt;
  }
  return message;
}

void SealedBus::start(Heard heard) {
  heard_ = std::move(heard);
  inner_->start([this](const std::string& sealed) {
    if (const auto message = secret_.open(sealed)) {
      heard_(std::string(*message));
    } else {
      metrics_.rejected.add();
    }
  });
}

void SealedBus::publish(std::string message) {
  if (message.size() > max_message_bytes()) {
    metrics_.too_large.add();
    return;
  }
  inner_->publish(secret_.seal(message));
}

}  // namespace weft::bus

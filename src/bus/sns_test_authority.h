// Who signs for SNS in tests: an authority, and a certificate of it in SNS's name.
#pragma once

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <ctime>
#include <memory>
#include <string>

#include "bus/sns_envelope.h"

namespace weft::bus::test {

class SnsAuthority {
 public:
  /// `host`: whose certificate it says it is. `key`: which of two.
  explicit SnsAuthority(const std::string& host = "sns.eu-central-1.amazonaws.com", int key = 0)
      : root_key_(key_number(2)), key_(key_number(key)) {
    root_ = certificate("weft test authority", "", root_key_, nullptr);
    own_ = certificate(host, "DNS:" + host, key_, root_);
  }
  ~SnsAuthority() {
    X509_free(own_);
    X509_free(root_);
  }
  SnsAuthority(const SnsAuthority&) = delete;
  SnsAuthority& operator=(const SnsAuthority&) = delete;

  std::string pem() const { return text_of(own_); }
  std::string root_pem() const { return text_of(root_); }

  /// In base64, of an envelope's text.
  std::string sign(const std::string& text, int version) const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    std::size_t size = 512;
    std::string signature(size, '\0');
    const auto* const octets = reinterpret_cast<const unsigned char*>(text.data());
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, version == 1 ? EVP_sha1() : EVP_sha256(),
                                 nullptr, key_),
              1);
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                             octets, text.size()),
              1);
    EVP_MD_CTX_free(context);
    std::string base64(size * 2, '\0');
    base64.resize(static_cast<std::size_t>(EVP_EncodeBlock(
        reinterpret_cast<unsigned char*>(base64.data()),
        reinterpret_cast<const unsigned char*>(signature.data()), static_cast<int>(size))));
    return base64;
  }

 private:
  /// Made once: that takes a while.
  static EVP_PKEY* key_number(int which) {
    struct Free {
      void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    };
    using Key = std::unique_ptr<EVP_PKEY, Free>;
    static const std::array<Key, 3> keys{Key(EVP_RSA_gen(2'048)), Key(EVP_RSA_gen(2'048)),
                                         Key(EVP_RSA_gen(2'048))};
    return keys.at(static_cast<std::size_t>(which)).get();
  }

  /// Signed by the root's key; the root, when there is no issuer yet. Valid for two hours: longer
  /// than a message counts.
  X509* certificate(const std::string& name, const std::string& alternative, EVP_PKEY* key,
                    X509* issuer) {
    X509* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), issuer == nullptr ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 7'200);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509* const signer = issuer == nullptr ? made : issuer;
    X509_set_issuer_name(made, X509_get_subject_name(signer));
    const bool is_root = issuer == nullptr;
    extend(made, NID_basic_constraints, is_root ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!is_root) extend(made, NID_subject_alt_name, alternative);
    EXPECT_GT(X509_sign(made, root_key_, EVP_sha256()), 0);
    return made;
  }
  static void extend(X509* certificate, int what, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
    EXPECT_EQ(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
  }
  static std::string text_of(X509* certificate) {
    BIO* const bio = BIO_new(BIO_s_mem());
    EXPECT_EQ(PEM_write_bio_X509(bio, certificate), 1);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }

  EVP_PKEY* root_key_;
  EVP_PKEY* key_;
  X509* root_ = nullptr;
  X509* own_ = nullptr;
};

/// As SNS writes it.
inline std::string sns_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.000Z", &parts));
  return text;
}

/// The body of a message that the authority has signed.
inline std::string notification_body(const SnsAuthority& authority, const std::string& topic,
                                     const std::string& id,
                                     std::chrono::system_clock::time_point time,
                                     const std::string& message,
                                     const std::string& certificate_url) {
  const std::string at = sns_time(time);
  const std::string text = "Message\n" + message + "\nMessageId\n" + id + "\nTimestamp\n" + at +
                           "\nTopicArn\n" + topic + "\nType\nNotification\n";
  return boost::json::serialize(boost::json::object{{"Type", "Notification"},
                                                    {"MessageId", id},
                                                    {"TopicArn", topic},
                                                    {"Message", message},
                                                    {"Timestamp", at},
                                                    {"SignatureVersion", "2"},
                                                    {"Signature", authority.sign(text, 2)},
                                                    {"SigningCertURL", certificate_url}});
}

inline SnsEnvelope notification(const SnsAuthority& authority, const std::string& topic,
                                const std::string& id, std::chrono::system_clock::time_point time,
                                const std::string& message, const std::string& certificate_url) {
  auto read =
      SnsEnvelope::read(notification_body(authority, topic, id, time, message, certificate_url));
  EXPECT_TRUE(read.ok());
  return std::move(read).value();
}

}  // namespace weft::bus::test

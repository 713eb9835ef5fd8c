#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "access/key_material.h"
#include "access/key_reading.h"

namespace weft::access {
namespace {

/// One "-----BEGIN" block, its base64 already read.
class Block {
 public:
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name_);
    OPENSSL_free(header_);
    OPENSSL_clear_free(data_, static_cast<std::size_t>(size_));
  }

  bool read(BIO* from) { return PEM_read_bio(from, &name_, &header_, &data_, &size_) == 1; }
  std::string_view name() const { return name_; }
  bool is_encrypted() const { return *header_ != '\0' || name() == PEM_STRING_PKCS8; }

  /// Null when the bytes are not what the name says.
  Owned<EVP_PKEY> pair(bool is_private) const {
    const unsigned char* at = data_;
    if (is_private) return Owned<EVP_PKEY>(d2i_AutoPrivateKey(nullptr, &at, size_));
    if (name() == PEM_STRING_PUBLIC) return Owned<EVP_PKEY>(d2i_PUBKEY(nullptr, &at, size_));
    return Owned<EVP_PKEY>(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size_));
  }

 private:
  char* name_ = nullptr;
  char* header_ = nullptr;
  unsigned char* data_ = nullptr;
  long size_ = 0;
};

Status add_block(const Block& block, KeysRead& out) {
  const std::string_view name = block.name();
  if (name == PEM_STRING_ECPARAMETERS) return ok_status();  // stands before "EC PRIVATE KEY"
  if (block.is_encrypted()) return bad_key("an encrypted key; Weft asks for no passphrase");
  const bool is_private =
      name == PEM_STRING_PKCS8INF || name == PEM_STRING_RSA || name == PEM_STRING_ECPRIVATEKEY;
  if (!is_private && name != PEM_STRING_PUBLIC && name != PEM_STRING_RSA_PUBLIC) {
    return bad_key("no public or private key: -----BEGIN " + std::string(name) + "-----");
  }
  Owned<EVP_PKEY> pair = block.pair(is_private);
  if (!pair) return bad_key("a damaged key: -----BEGIN " + std::string(name) + "-----");
  auto key = make_pair_key(std::move(pair), is_private, {});
  if (!key.ok()) return key.error();
  out.keys.push_back(std::move(key).value());
  return ok_status();
}

}  // namespace

Result<KeysRead> read_pem_keys(std::string_view text) {
  const Owned<BIO> from(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  KeysRead out;
  ERR_clear_error();
  while (true) {
    Block block;
    if (!block.read(from.get())) break;
    const Status added = add_block(block, out);
    ERR_clear_error();
    if (!added.ok()) return added.error();
    if (out.keys.size() > max_keys) break;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.keys.size() <= max_keys && !at_end) return bad_key("a damaged PEM file");
  return out;
}

}  // namespace weft::access

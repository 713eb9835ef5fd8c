#include <openssl/ssl.h>
#include <sys/stat.h>

#include <utility>

#include "server/tls.h"

namespace weft::server {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::int64_t look_every_ms = 10'000;

Error bad(const std::string& file, const std::string& why) {
  return {ErrorClass::invalid, "bad_tls_certificate", "TLS: " + file + ": " + why};
}

Result<std::shared_ptr<ssl::context>> read_files(const TlsFiles& files) {
  if (files.certificate.empty() || files.key.empty()) {
    return Error{ErrorClass::invalid, "bad_tls_certificate",
                 "TLS takes a certificate and its key: --tls-certificate and --tls-key."};
  }
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  error_code ec;
  // Without this OpenSSL would ask for a password at the terminal.
  context->set_password_callback(
      [](std::size_t, ssl::context::password_purpose) { return std::string(); }, ec);
  if (!ec) context->use_certificate_chain_file(files.certificate, ec);
  if (ec) return bad(files.certificate, ec.message());
  context->use_private_key_file(files.key, ssl::context::pem, ec);
  if (ec) return bad(files.key, ec.message());
  if (SSL_CTX_check_private_key(native) != 1) {
    return bad(files.key, "it is not the key of " + files.certificate);
  }
  return context;
}

/// Changes whenever a file is written or replaced.
std::string stamp_of(const TlsFiles& files) {
  std::string stamp;
  for (const std::string* file : {&files.certificate, &files.key}) {
    struct stat status {};
    if (::stat(file->c_str(), &status) != 0) status = {};
    for (const std::int64_t part :
         {std::int64_t{status.st_mtim.tv_sec}, status.st_mtim.tv_nsec, std::int64_t{status.st_size},
          static_cast<std::int64_t>(status.st_ino)}) {
      stamp += std::to_string(part) + ' ';
    }
  }
  return stamp;
}

}  // namespace

Status check_tls(const TlsFiles& files) {
  if (!files.is_given()) return ok_status();
  if (const auto context = read_files(files); !context) return context.error();
  return ok_status();
}

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::load(TlsFiles files) {
  std::unique_ptr<TlsCertificate> certificate(new TlsCertificate(std::move(files)));
  if (const Status read = certificate->read(); !read) return read.error();
  return certificate;
}

Status TlsCertificate::read() {
  stamp_ = stamp_of(files_);
  auto context = read_files(files_);
  if (!context) return context.error();
  context_ = std::move(*context);
  return ok_status();
}

std::shared_ptr<ssl::context> TlsCertificate::current(std::int64_t now_ms, Log& log) {
  if (now_ms - looked_ms_ >= look_every_ms) {
    looked_ms_ = now_ms;
    if (stamp_of(files_) != stamp_) {
      const Status renewed = read();
      log.write(renewed ? LogLevel::info : LogLevel::error, "tls_certificate",
                renewed ? "the certificate was renewed"
                        : "the last good certificate stays: " + renewed.error().message);
    }
  }
  return context_;
}

}  // namespace weft::server

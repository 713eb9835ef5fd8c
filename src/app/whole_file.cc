#include "app/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace weft::app {
namespace {

Error cannot_write(const std::string& path, int error) {
  if (error == EEXIST) {
    return {ErrorClass::conflict, "file_exists", path + " exists; nothing is overwritten"};
  }
  return {ErrorClass::unavailable, "cannot_write",
          path + " cannot be written: " + std::generic_category().message(error)};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t max_bytes) {
  std::FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    return Error{ErrorClass::not_found, "no_file",
                 path + " cannot be read: " + std::generic_category().message(errno)};
  }
  std::string bytes;
  char buffer[1 << 16];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file)) {
    bytes.append(buffer, got);
    if (bytes.size() > max_bytes) break;
  }
  const bool failed = std::ferror(file) != 0;
  if (file != stdin) std::fclose(file);
  if (failed) return Error{ErrorClass::not_found, "no_file", path + " cannot be read to its end"};
  if (bytes.size() > max_bytes) {
    return Error{ErrorClass::too_large, "file_too_large",
                 path + " is larger than " + std::to_string(max_bytes) + " bytes"};
  }
  return bytes;
}

Status write_whole_file(const std::string& path, std::string_view bytes) {
  const std::string partial = path + ".partial";
  if (::access(path.c_str(), F_OK) == 0) return cannot_write(path, EEXIST);
  const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return cannot_write(partial, errno);
  const bool written = write_all(fd, bytes);
  const int error = errno;
  ::close(fd);
  if (!written || std::rename(partial.c_str(), path.c_str()) != 0) {
    const int why = written ? errno : error;
    ::unlink(partial.c_str());
    return cannot_write(path, why);
  }
  return ok_status();
}

}  // namespace weft::app

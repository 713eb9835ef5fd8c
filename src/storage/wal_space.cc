#include "storage/wal_space.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace weft::storage {

void reserve_wal(const std::string& path, std::size_t bytes) {
  // SQLite has made it, with the permissions of the database. Its locks are on other files, so
  // closing this descriptor takes none away.
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  struct stat before {};
  if (::fstat(file, &before) == 0) {
    const std::vector<char> zeros(std::size_t{64} << 10);
    std::size_t at = static_cast<std::size_t>(before.st_size);
    bool fits = true;
    // Written, and not only allocated: an extent that was never written costs its first writer as
    // much as a longer file.
    while (fits && at < bytes) {
      const std::size_t part = std::min(zeros.size(), bytes - at);
      const ssize_t written = ::pwrite(file, zeros.data(), part, static_cast<off_t>(at));
      fits = written > 0;
      if (fits) at += static_cast<std::size_t>(written);
    }
    fits = fits && ::fsync(file) == 0;
    if (!fits) static_cast<void>(::ftruncate(file, before.st_size));
  }
  ::close(file);
}

}  // namespace weft::storage

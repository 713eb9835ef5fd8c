#include "storage/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace weft::storage {
namespace {

Error directory_error(const std::string& path, const char* what, int error) {
  return {ErrorClass::unavailable, "data_directory",
          path + ": " + what + ": " + std::generic_category().message(error) +
              ". Choose a data directory that this user can write to."};
}

// A directory entry is only durable once the directory itself is synced.
void sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Creates `path` and what is missing above it. 0 or an errno.
int make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    sync_directory(parent_of(path));
    return 0;
  }
  if (errno == EEXIST) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return errno;
    return S_ISDIR(info.st_mode) ? 0 : ENOTDIR;
  }
  if (errno != ENOENT) return errno;
  const std::string parent = parent_of(path);
  if (parent == path || parent == ".") return ENOENT;
  if (const int error = make_directories(parent); error != 0) return error;
  if (::mkdir(path.c_str(), 0700) != 0) return errno;
  sync_directory(parent);
  return 0;
}

}  // namespace

Result<DataDirectory> DataDirectory::acquire(std::string path) {
  std::string clean = std::move(path);
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  if (clean.empty()) return directory_error("(empty)", "no data directory was given", EINVAL);
  if (const int error = make_directories(clean); error != 0) {
    return directory_error(clean, "cannot create the data directory", error);
  }
  const std::string lock_path = clean + "/weft.lock";
  const int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return directory_error(clean, "cannot create weft.lock in it", errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(fd);
    if (error != EWOULDBLOCK) return directory_error(clean, "cannot lock weft.lock", error);
    return Error{ErrorClass::unavailable, "data_locked",
                 clean +
                     " is in use by another running weft process. Stop that one first, or "
                     "choose another data directory."};
  }
  return DataDirectory(std::move(clean), fd);
}

DataDirectory::~DataDirectory() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

void sync_parent_directory(const std::string& path) { sync_directory(parent_of(path)); }

}  // namespace weft::storage

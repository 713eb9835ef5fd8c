// DataDirectory: the directory that one process owns while it serves. Creates it, and holds an
// exclusive lock on DIR/weft.lock that the kernel releases when the process ends, however it ends.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::storage {

class DataDirectory {
 public:
  /// Errors: unavailable "data_directory" (cannot be created or written), unavailable
  /// "data_locked".
  static Result<DataDirectory> acquire(std::string path);
  ~DataDirectory();
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;

  const std::string& path() const { return path_; }
  std::string database_path() const { return path_ + "/weft.db"; }

 private:
  DataDirectory(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}

  std::string path_;
  int lock_fd_ = -1;
};

/// A new name in a directory is only durable once the directory itself is synced.
void sync_parent_directory(const std::string& path);

}  // namespace weft::storage

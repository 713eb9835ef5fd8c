#include "app/database_path.h"

#include <sys/stat.h>

#include <cstdio>

#include "app/exit_code.h"
#include "app/store_choice.h"

namespace weft::app {

Result<std::string> database_path(const std::string& data) {
  const std::string given = data.empty() ? default_data_directory() : data;
  if (given.empty()) {
    return Error{ErrorClass::invalid, "no_data_directory",
                 "which documents? HOME is not set: give --data DIR."};
  }
  struct stat info {};
  if (::stat(given.c_str(), &info) == 0 && S_ISREG(info.st_mode)) return given;
  return given + "/weft.db";
}

int complain(const Error& error) {
  std::fprintf(stderr, "weft: %s\n", error.message.c_str());
  return exit_code_for(error);
}

}  // namespace weft::app

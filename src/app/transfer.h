// `weft export`, `weft import`, `weft backup` and `weft restore`: what carries documents out of a
// database and in.
#pragma once

#include <string>

#include "app/store_choice.h"

namespace weft::app {

struct ExportOptions {
  StoreOptions store;  // a database file may stand for a directory
  std::string document;
  std::string output;  // empty: stdout
  bool text = false;   // only the text, as it is now
};
struct ImportOptions {
  StoreOptions store;
  std::string file;  // "-": stdin
  std::string title;
  bool as_new = false;  // under a fresh id
  bool text = false;    // FILE is a plain text, not an archive
};
struct BackupOptions {
  std::string data;
  std::string output;
};

struct RestoreOptions {
  StoreOptions store;
  std::string file;  // empty for a PostgreSQL database, which its own tools have brought back
};

int run_export(const ExportOptions& options);
int run_import(const ImportOptions& options);
int run_backup(const BackupOptions& options);
int run_restore(const RestoreOptions& options);

}  // namespace weft::app

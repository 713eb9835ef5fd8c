#include "app/keeping_commands.h"

#include "app/store_arguments.h"

namespace weft::app {
namespace {

constexpr const char* fsck_footer =
    R"(Reads everything and changes nothing, beside a running server too. Prints a line on stdout for each
damaged or missing row: document, table, key, and what is wrong with it. A damaged snapshot costs
nothing but time: the log is read instead. For a damaged log see docs/OPERATIONS.md.

Exit codes:
  0  clean
  1  damage was found
  2  the command line is wrong, or the database cannot be opened or read
)";

constexpr const char* stats_footer =
    R"(Columns: characters and bytes of the text as it is now; dead: deleted characters that the history
keeps; rows and bytes of the log; bytes of the snapshots. Bytes are content, before the database's own
pages and indexes; the last line tells the size of the database.
)";

constexpr const char* export_footer =
    R"(The archive holds the whole history: every operation, who (as a number) and when. It does not hold
client ids and the owner. Deleted documents can be exported too. Works beside a running server.
)";

constexpr const char* import_footer =
    R"(Prints the document's id. An archive keeps its id, and is refused if that id is or was in use here:
--as-new gives it a fresh one. Clients that knew the document elsewhere begin anew. A server must not
be running on DIR; on PostgreSQL it may.
)";

constexpr const char* backup_footer =
    R"(Copies the database as of this moment while the server goes on, checks the copy, and syncs it. FILE is
one file and complete, or it is not there. 'weft restore' makes a data directory of it. PostgreSQL is
backed up by its own tools: docs/OPERATIONS.md.
)";

constexpr const char* restore_footer =
    R"(DIR must not have a database: move weft.db, weft.db-wal and weft.db-shm away together. Clients that
have seen edits which the backup does not have begin anew, with the text as it is in the backup. Do not
copy a backup to DIR/weft.db by hand: such clients would mix the two histories up.

PostgreSQL: bring the backup back with pg_restore or psql, then run this with --database-url and without
FILE, before a server is started on it.
)";

void add_data(CLI::App* command, std::string& data, const char* what) {
  command->add_option("--data", data, what)->type_name("DIR");
}

constexpr const char* directory_or_file = "Data directory, or a database file such as a backup";

}  // namespace

KeepingCommands add_keeping_commands(CLI::App& app, KeepingOptions& options) {
  KeepingCommands commands{};
  CLI::App* fsck = commands.fsck =
      app.add_subcommand("fsck", "Check the whole database and name every damaged row");
  add_store_options(*fsck, options.fsck.store, directory_or_file);
  fsck->add_flag("--json", options.fsck.json, "Print one JSON object");
  fsck->footer(fsck_footer);

  CLI::App* stats = commands.stats =
      app.add_subcommand("stats", "Tell how large documents and their histories are");
  add_store_options(*stats, options.stats.store, directory_or_file);
  stats->add_flag("--json", options.stats.json, "Print one JSON object");
  stats->footer(stats_footer);

  CLI::App* export_ = commands.export_ =
      app.add_subcommand("export", "Write one document with its history to a file");
  add_store_options(*export_, options.export_.store, directory_or_file);
  export_->add_option("DOCUMENT_ID", options.export_.document, "The document")
      ->required()
      ->type_name("");
  export_->add_option("-o,--output", options.export_.output, "Write there (default: stdout)")
      ->type_name("FILE");
  export_->add_flag("--text", options.export_.text, "Only the text as it is now");
  export_->footer(export_footer);

  CLI::App* import = commands.import =
      app.add_subcommand("import", "Bring in a document from an archive or a text file");
  add_store_options(*import, options.import.store);
  import->add_option("FILE", options.import.file, "What 'weft export' wrote; - is stdin")
      ->required()
      ->type_name("");
  import->add_option("--title", options.import.title, "Another title")->type_name("TITLE");
  import->add_flag("--as-new", options.import.as_new, "Under a fresh id");
  import->add_flag("--text", options.import.text, "FILE is a plain text: begin a document with it");
  import->footer(import_footer);

  CLI::App* backup = commands.backup =
      app.add_subcommand("backup", "Copy the whole database while the server runs");
  add_data(backup, options.backup.data, directory_or_file);
  backup->add_option("-o,--output", options.backup.output, "Write there; must not exist")
      ->required()
      ->type_name("FILE");
  backup->footer(backup_footer);

  CLI::App* restore = commands.restore =
      app.add_subcommand("restore", "Make a data directory of a backup");
  add_store_options(*restore, options.restore.store, "Data directory without a database");
  restore->add_option("FILE", options.restore.file, "What 'weft backup' wrote")->type_name("");
  restore->footer(restore_footer);
  return commands;
}

}  // namespace weft::app

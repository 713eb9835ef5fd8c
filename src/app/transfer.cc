#include "app/transfer.h"

#include <cinttypes>
#include <cstdio>
#include <utility>

#include "app/database_path.h"
#include "app/exit_code.h"
#include "app/stderr_log.h"
#include "app/store_choice.h"
#include "app/system_ports.h"
#include "app/wait_for.h"
#include "app/whole_file.h"
#include "base/on_the_spot.h"
#include "base/utf8.h"
#include "storage/archive.h"
#include "storage/import_milestones.h"
#include "storage/pg_restore.h"
#include "storage/source_state.h"
#include "storage/sqlite_backup.h"
#include "storage/sqlite_restore.h"
#include "wire/limits.h"

namespace weft::app {
namespace {

// Larger than any history that a document's limit of elements allows in practice.
constexpr std::size_t max_archive_bytes = std::size_t{1} << 30;
constexpr std::size_t max_text_bytes = std::size_t{128} << 20;

Result<std::string> exported(const ExportOptions& options) {
  const auto id = Uuid::parse(options.document);
  if (!id) {
    return Error{ErrorClass::invalid, "bad_document_id",
                 options.document + " is not a document's id"};
  }
  auto source = open_row_source(options.store);
  if (!source) return source.error();
  if (!options.text) {
    const auto archive = storage::read_archive(**source, *id);
    if (!archive) return archive.error();
    return storage::encode_archive(*archive);
  }
  const storage::SourceMoment moment(**source);
  if (!moment.begun()) return moment.begun().error();
  const auto entry = storage::existing_entry(**source, *id);
  if (!entry) return entry.error();
  const auto state = storage::present_state(**source, *entry);
  if (!state) return state.error();
  return state->text();
}

/// The file's name without its folders.
std::string name_of(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

Result<std::string> checked_title(std::string title) {
  if (title.empty() || title.size() > wire::Limits{}.max_title_bytes || !is_one_line(title) ||
      !count_scalars(title)) {
    return Error{ErrorClass::invalid, "bad_title",
                 "a title is one line of 1 to 256 bytes: give one with --title"};
  }
  return title;
}

/// Without them the document is there all the same.
void keep_states(storage::Store& store, const collab::DocumentRecord& record, Executor& on) {
  const auto stored = wait_for<Unit>(
      [&](auto done) { storage::store_milestones(store, record, on, std::move(done)); });
  if (!stored) {
    std::fprintf(stderr, "weft: imported, but old versions will be slow to read: %s\n",
                 stored.error().message.c_str());
  }
}

Result<collab::DocumentRecord> import_text(storage::Store& store, Executor& on,
                                           SystemRandom& random, const ImportOptions& options) {
  auto text = read_whole_file(options.file, max_text_bytes);
  if (!text) return text.error();
  auto title = checked_title(options.title.empty() ? name_of(options.file) : options.title);
  if (!title) return title.error();
  const auto length = count_scalars(*text);
  if (!length) {
    return Error{ErrorClass::invalid, "bad_text", "the text must be UTF-8 without U+0000"};
  }
  if (*length > wire::Limits{}.max_document_elements) {
    return Error{ErrorClass::too_large, "document_full",
                 "the text is longer than a document may be"};
  }
  collab::Catalog::NewDocument document;
  document.id = Uuid::from_random(random.next(), random.next());
  document.title = std::move(*title);
  document.incarnation = Uuid::from_random(random.next(), random.next());
  document.client = Uuid::from_random(random.next(), random.next());
  document.author = {{}, {}, collab::AuthorKind::server};
  document.content = normalize_line_ends(*text);
  auto created = wait_for<collab::Catalog::Created>(
      [&](auto done) { store.create(std::move(document), on, std::move(done)); });
  if (!created) return created.error();
  keep_states(store, created->record, on);
  return std::move(created->record);
}

Result<collab::DocumentRecord> import_archive(storage::Store& store, Executor& on,
                                              SystemRandom& random, const ImportOptions& options) {
  auto bytes = read_whole_file(options.file, max_archive_bytes);
  if (!bytes) return bytes.error();
  auto archive = storage::decode_archive(*bytes);
  if (!archive) return archive.error();
  if (!options.title.empty()) archive->record.title = options.title;
  auto title = checked_title(archive->record.title);
  if (!title) return title.error();
  if (options.as_new) archive->record.id = Uuid::from_random(random.next(), random.next());
  auto imported = wait_for<collab::DocumentRecord>([&](auto done) {
    store.import(storage::prepare_import(std::move(*archive), random), on, std::move(done));
  });
  if (!imported) return imported;
  keep_states(store, *imported, on);
  return imported;
}

}  // namespace

int run_export(const ExportOptions& options) {
  const auto bytes = exported(options);
  if (!bytes) return complain(bytes.error());
  if (options.output.empty()) {
    if (std::fwrite(bytes->data(), 1, bytes->size(), stdout) == bytes->size() &&
        std::fflush(stdout) == 0) {
      return exit_done;
    }
    return complain({ErrorClass::unavailable, "cannot_write", "stdout cannot be written"});
  }
  const Status written = write_whole_file(options.output, *bytes);
  return written ? exit_done : complain(written.error());
}

int run_import(const ImportOptions& options) {
  auto choice = choose_store(options.store);
  if (!choice) return complain(choice.error());
  SystemClock clock;
  SystemRandom random;
  OnTheSpot on;
  const std::unique_ptr<Log> log = make_stderr_log(LogLevel::warning);
  auto store = open_store(*choice, clock, *log);
  if (!store) return complain(store.error());
  const auto imported = options.text ? import_text(**store, on, random, options)
                                     : import_archive(**store, on, random, options);
  if (!imported) return complain(imported.error());
  std::printf("%s\n", imported->id.to_string().c_str());
  return exit_done;
}

int run_backup(const BackupOptions& options) {
  const auto choice = choose_store({options.data, {}});
  if (!choice) return complain(choice.error());
  const auto* data = std::get_if<std::string>(&choice->where);
  if (data == nullptr) {
    return complain({ErrorClass::invalid, "not_a_file",
                     "documents are kept in the " + choice->describe() +
                         ", which is backed up by its own tools, such as pg_dump; --data DIR "
                         "backs up a data directory."});
  }
  const auto path = database_path(*data);
  if (!path) return complain(path.error());
  const auto bytes = storage::backup_database(*path, options.output);
  if (!bytes) return complain(bytes.error());
  std::fprintf(stderr, "%s: %" PRIu64 " bytes\n", options.output.c_str(), *bytes);
  return exit_done;
}

int run_restore(const RestoreOptions& options) {
  const auto choice = choose_store(options.store);
  if (!choice) return complain(choice.error());
  const auto* target = std::get_if<storage::PgTarget>(&choice->where);
  if (options.file.empty() != (target != nullptr)) {
    return complain({ErrorClass::invalid, "bad_restore",
                     target == nullptr
                         ? "which backup? Give its file."
                         : "a PostgreSQL database is restored by its own tools first, and then by "
                           "this command without a file."});
  }
  SystemClock clock;
  SystemRandom random;
  const auto documents =
      target == nullptr ? storage::restore_database(
                              options.file, std::get<std::string>(choice->where), clock, random)
                        : storage::pg_renew_lineages(*target, clock, random);
  if (!documents) return complain(documents.error());
  std::fprintf(stderr, "%s: %" PRIu64 " documents\n", choice->describe().c_str(), *documents);
  return exit_done;
}

}  // namespace weft::app

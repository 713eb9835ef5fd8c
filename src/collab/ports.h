// What the heart needs from the outside: a log, a catalog of documents, and a way to each client.
// Storage and server implement these; tests implement them in memory. Every answer is a callback
// that is posted on the executor which asked, exactly once, also on failure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "base/uuid.h"
#include "collab/author.h"
#include "rga/operation.h"
#include "rga/version_vector.h"
#include "wire/messages.h"

namespace weft::collab {

template <class T>
using Done = std::function<void(Result<T>)>;

/// One row of a document's log: an operation that owns its text, and where it stands.
struct LogRow {
  std::uint64_t index = 0;  // dense per document, from 1
  std::uint64_t base = 0;   // last index that the author had applied
  rga::OpKind kind = rga::OpKind::insert;
  std::uint32_t len = 0;
  rga::S4Vector id;
  rga::ElementId ref;
  std::string text;
  std::int64_t timestamp_us = 0;

  rga::Operation operation() const { return {kind, len, id, ref, text}; }
};

struct DocumentRecord {
  DocumentId id;
  Uuid owner;  // nil until access control exists
  std::int64_t creation_us = 0;
  std::string title;
  Uuid incarnation;              // fresh when the log is (re)built
  std::uint64_t ssn = 1;         // epoch
  std::uint64_t last_index = 0;  // of the log
  std::uint64_t sum_total = 0;   // elements of all operations in the log
  std::int64_t updated_us = 0;   // time of the last row, or of creation
};

/// As much of a document's record as changes with its log.
struct LogEnd {
  DocumentId id;
  Uuid incarnation;
  std::uint64_t last_index = 0;

  bool operator==(const LogEnd&) const = default;
};
/// Rows of others that a batch moves past, at most.
inline constexpr std::uint64_t max_missed_rows = 4096;

/// Rows between two kept snapshots, at most: what Journal::load_at may have to replay. Reading and
/// replaying a row takes one to two microseconds.
inline constexpr std::uint64_t max_milestone_rows = 4096;

/// What an edit with an idempotency key did, so that the same request, sent again, does nothing and
/// gets the same answer. Keys are known per document, for 24 hours.
struct EditKey {
  std::string key;                 // 1 to 400 bytes of UTF-8
  std::uint64_t fingerprint = 0;   // of the request: tells a repetition from another request
  std::uint64_t before_index = 0;  // of the log, before the edit
  std::uint64_t version = 0;       // of the log, after it

  bool operator==(const EditKey&) const = default;
};
inline constexpr std::size_t max_edit_key_bytes = 400;
inline constexpr std::int64_t edit_key_lifetime_us = 24 * 3'600'000'000LL;

/// The log of operations. "Durable" means: survives kill -9 and loss of power.
class Journal {
 public:
  virtual ~Journal() = default;

  struct Batch {
    std::uint64_t expected_last_index = 0;
    std::vector<LogRow> rows = {};   // their `index` is ignored
    std::vector<EditKey> keys = {};  // mostly none
    /// Others may write to this log: rows that they were quicker with are no reason to refuse.
    bool may_move = false;
  };
  struct Appended {
    std::uint64_t last_index = 0;
    std::vector<LogRow> missed;  // what others have appended between expected_last_index and ours
  };
  /// Appends the rows at the end of the log and answers once they are durable. Where the log ends
  /// elsewhere than at expected_last_index: conflict, code "log_moved", and nothing is changed;
  /// unless the batch may move and what came between leaves it as it is. That is so when none of
  /// its rows has a base beyond expected_last_index, and the rows between are at most
  /// max_missed_rows, hold no purge, and nothing of a site that the batch writes for. Then the
  /// batch comes after them, they are the answer's `missed`, and the indexes in its keys are moved
  /// on by their number.
  ///
  /// Appends of one document are carried out in order of the calls. Keys become known together with
  /// the rows, of which there may be none: conflict, code "edit_key_exists", and nothing is changed
  /// when one is known already; invalid, code "bad_edit_key".
  virtual void append(const DocumentId& document, Batch batch, Executor& on,
                      Done<Appended> done) = 0;

  /// What came with this key in the last 24 hours; nothing when it was not seen, or longer ago.
  /// not_found / gone as in Catalog::get.
  virtual void find_edit(const DocumentId& document, std::string key, Executor& on,
                         Done<std::optional<EditKey>> done) = 0;

  struct Loaded {
    DocumentRecord record;
    std::uint64_t snapshot_index = 0;  // 0: no snapshot
    std::string snapshot;              // rga snapshot bytes of the state at snapshot_index
    std::vector<LogRow> tail;          // every row after it
    std::optional<LogRow> last_purge;  // the newest row of that kind in the whole log
  };
  /// Newest valid snapshot and the rows after it. Damaged snapshots are skipped (and logged); a
  /// damaged row answers corrupt, code "damaged_log". not_found / gone as in Catalog::get.
  virtual void load(const DocumentId& document, Executor& on, Done<Loaded> done) = 0;

  /// The same for the state at `index`; `record` is as it is now. Invalid, code
  /// "index_out_of_range", beyond the log. A kept snapshot is at most max_milestone_rows before any
  /// index, so this takes as long for an old version as for a new one.
  virtual void load_at(const DocumentId& document, std::uint64_t index, Executor& on,
                       Done<Loaded> done) = 0;
  /// The last row at or before that time; 0 when there is none. Takes times to ascend with the log,
  /// as they do while clocks do not jump back. O(log rows).
  virtual void index_at_time(const DocumentId& document, std::int64_t time_us, Executor& on,
                             Done<std::uint64_t> done) = 0;

  /// Rows with after < index, ascending, at most max_rows.
  virtual void read_rows(const DocumentId& document, std::uint64_t after, std::size_t max_rows,
                         Executor& on, Done<std::vector<LogRow>> done) = 0;

  /// What the log up to `index` contains.
  virtual void version_at(const DocumentId& document, std::uint64_t index, Executor& on,
                          Done<rga::VersionVector> done) = 0;

  /// The site of a client of this document: the same for the same client, else a fresh one, never
  /// reused. A site has one author for ever: a client that comes as somebody else (not
  /// is_same_author) gets another site. The name is the last that was given; an empty one leaves it
  /// as it is. A site that was given out before authors were kept becomes the author's whose client
  /// comes first. Durable, author included, before the answer.
  virtual void lease_site(const DocumentId& document, const ClientId& client, Author author,
                          Executor& on, Done<std::uint64_t> done) = 0;

  /// Who wrote as these sites, ascending by site. Without those that nothing is known of: given out
  /// before authors were kept, or damaged (which is logged). None of a document that is not there.
  virtual void authors_of(const DocumentId& document, std::vector<std::uint64_t> sids, Executor& on,
                          Done<std::vector<SiteAuthor>> done) = 0;

  /// Stores the state at `index` in the background; keeps the newest two.
  virtual void save_snapshot(const DocumentId& document, std::uint64_t index, std::string snapshot,
                             Executor& on, Done<Unit> done) = 0;

  /// Where the logs of these documents end, in any order; without those that are not there any
  /// more, deleted or erased. One question for all that are open, asked now and then by whoever
  /// shares the database.
  virtual void log_ends(std::vector<DocumentId> documents, Executor& on,
                        Done<std::vector<LogEnd>> done) = 0;

  struct StateClaim {
    std::uint64_t index = 0;
    std::uint64_t state_hash = 0;
    bool is_of_log = false;  // of a state that was just built from the log: it counts
  };
  /// What the state at the claim's index hashes to, as the first who asked this has said, or one
  /// who had built it from the log: the claim's own hash for them. For whoever shares the database;
  /// those of the newest few indexes are kept. not_found / gone as in Catalog::get; invalid, code
  /// "index_out_of_range", beyond the log.
  virtual void compare_state(const DocumentId& document, StateClaim claim, Executor& on,
                             Done<std::uint64_t> done) = 0;
};

/// Which documents there are.
class Catalog {
 public:
  virtual ~Catalog() = default;

  struct NewDocument {
    DocumentId id;  // random, made by the caller
    std::string title;
    Uuid owner;
    std::string owner_user;       // becomes a member, with the role owner; empty: nobody does
    std::uint64_t max_owned = 0;  // that owner_user created and still owns; 0: any number
    Uuid incarnation;
    std::uint64_t ssn = 1;        // the epoch that it begins with; at least 1
    ClientId client;              // the server's own client id: leases the site of the first rows
    Author author;                // whose content it is
    std::string content;          // validated UTF-8, LF line ends; may be empty
    std::string idempotency_key;  // empty: none
  };
  struct Created {
    DocumentRecord record;
    bool is_new = true;  // false: the idempotency key was known and the request was the same
  };
  /// Document and first content in one durable transaction. A known key with another title or
  /// content answers conflict, code "idempotency_key_reused"; one document more than max_owned
  /// too_large, code "too_many_documents".
  virtual void create(NewDocument document, Executor& on, Done<Created> done) = 0;

  /// not_found, code "document_not_found"; gone, code "document_deleted" or "document_erased".
  virtual void get(const DocumentId& document, Executor& on, Done<DocumentRecord> done) = 0;

  struct Page {
    std::vector<DocumentRecord> documents;  // newest first
    std::string next_cursor;                // empty: the end
  };
  struct ListFilter {
    std::string user = {};            // only documents of which this user is a member; empty: all
    std::string title_contains = {};  // in any case, of ASCII letters; empty: all
    bool deleted = false;  // those that can be undeleted, instead of those that are there
  };
  /// `cursor` is empty or from the page before; invalid, code "bad_cursor", for anything else.
  virtual void list(ListFilter filter, std::string cursor, std::size_t limit, Executor& on,
                    Done<Page> done) = 0;

  /// Durable before the answer. The log does not change.
  virtual void rename(const DocumentId& document, std::string title, Executor& on,
                      Done<DocumentRecord> done) = 0;

  /// Marks as deleted, durably. Deleting a deleted one is gone.
  virtual void remove(const DocumentId& document, Executor& on, Done<Unit> done) = 0;

  /// Takes the mark away, durably; a success also when there is none. Gone, code
  /// "document_erased", after erase().
  virtual void undelete(const DocumentId& document, Executor& on, Done<DocumentRecord> done) = 0;

  /// Removes every row of the document, deleted or not, for good. Only the id stays, so that it is
  /// never given out again: from the first moment on, every question about it is gone, code
  /// "document_erased". Answers when the last row is gone; goes on after a restart.
  virtual void erase(const DocumentId& document, Executor& on, Done<Unit> done) = 0;

  /// Whether the database answers and takes writes. Errors: unavailable.
  virtual void ping(Executor& on, Done<Unit> done) {
    list({}, {}, 1, on, [done = std::move(done)](const Result<Page>& page) {
      if (!page.ok()) return done(page.error());
      done(Unit{});
    });
  }
};

/// The way to one client. Lives on the document's loop.
class Outbox {
 public:
  virtual ~Outbox() = default;
  /// Queues one WebSocket message; many sessions may share it.
  virtual void send(std::shared_ptr<const std::string> message) = 0;
  /// Bytes queued and not yet given to the kernel.
  virtual std::size_t queued_bytes() const = 0;
  /// Sends what is queued (within reason), then closes. Later sends are dropped.
  virtual void close(wire::CloseCode code, std::string_view reason) = 0;
};

}  // namespace weft::collab

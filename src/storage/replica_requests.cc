#include "storage/replica_requests.h"

#include <utility>

#include "storage/document_rows.h"
#include "storage/replica_rows.h"
#include "storage/row_checks.h"

namespace weft::storage {
namespace {

class CompareState final : public TypedWriteRequest<std::uint64_t> {
 public:
  CompareState(const DocumentId& document, const collab::Journal::StateClaim& claim,
               std::int64_t now_us, Executor& on, collab::Done<std::uint64_t> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        claim_(claim),
        now_us_(now_us) {}

  int run(WriteSession& session) override {
    std::optional<Result<DocumentRow>> found;
    if (const int code = find_document(session, document_, document_text_, found);
        code != SQLITE_OK) {
      return code;
    }
    if (!found->ok() || (*found)->deleted) {
      answer(!found->ok() ? found->error() : document_deleted(document_));
      return SQLITE_OK;
    }
    if (claim_.index > (*found)->record.last_index) {
      answer(index_out_of_range((*found)->record));
      return SQLITE_OK;
    }
    Statement& put = session.put_state_hash;
    put.bind_text(1, document_text_);
    put.bind(2, claim_.index);
    put.bind(3, claim_.state_hash);
    put.bind(4, now_us_);
    put.bind(5, state_hash_checksum(document_, claim_, now_us_));
    put.bind(6, std::uint64_t{claim_.is_of_log});
    if (!put.run()) return put.code();
    {
      Statement& select = session.select_state_hash;
      const ResetGuard guard(select);
      select.bind_text(1, document_text_);
      select.bind(2, claim_.index);
      // Of a damaged one nobody knows what was said.
      if (select.step()) {
        const bool is_damaged = check_state_hash(select, document_) == RowCheck::damaged;
        answer(is_damaged ? claim_.state_hash : select.u64(1));
      }
      if (select.code() != SQLITE_OK) return select.code();
    }
    Statement& sweep = session.sweep_state_hashes;
    sweep.bind_text(1, document_text_);
    sweep.bind(2, kept_state_hashes);
    return sweep.run() ? SQLITE_OK : sweep.code();
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "comparing a state of document " + document_text_));
  }

 private:
  const DocumentId document_;
  const std::string document_text_;
  const collab::Journal::StateClaim claim_;
  const std::int64_t now_us_;
};

class Beat final : public TypedWriteRequest<Unit> {
 public:
  Beat(collab::Replica replica, std::int64_t now_us, Executor& on, collab::Done<Unit> done)
      : TypedWriteRequest(on, std::move(done)),
        replica_(std::move(replica)),
        instance_text_(replica_.instance.to_string()),
        now_us_(now_us) {}

  int run(WriteSession& session) override {
    Statement& sweep = session.sweep_replicas;
    sweep.bind(1, now_us_ - kept_replica_us);
    if (!sweep.run()) return sweep.code();
    Statement& put = session.put_replica;
    const ResetGuard guard(put);
    put.bind_text(1, replica_.replica_id);
    put.bind_text(2, instance_text_);
    put.bind_text(3, replica_.version);
    put.bind_text(4, replica_.url);
    put.bind_text(5, replica_.bus);
    put.bind(6, replica_.started_us);
    put.bind(7, now_us_);
    put.bind(8, collab::replica_silence_us);
    put.bind(9, replica_checksum(replica_));
    bool is_ours = false;
    while (put.step()) is_ours = true;
    if (put.code() != SQLITE_OK) return put.code();
    if (is_ours) {
      answer(Unit{});
    } else {
      answer(replica_exists(replica_.replica_id));
    }
    return SQLITE_OK;
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "saying that this server lives"));
  }

 private:
  const collab::Replica replica_;
  const std::string instance_text_;
  const std::int64_t now_us_;
};

class Leave final : public TypedWriteRequest<Unit> {
 public:
  Leave(std::string replica_id, const Uuid& instance, Executor& on, collab::Done<Unit> done)
      : TypedWriteRequest(on, std::move(done)),
        replica_id_(std::move(replica_id)),
        instance_text_(instance.to_string()) {}

  int run(WriteSession& session) override {
    Statement& drop = session.drop_replica;
    drop.bind_text(1, replica_id_);
    drop.bind_text(2, instance_text_);
    if (!drop.run()) return drop.code();
    answer(Unit{});
    return SQLITE_OK;
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "saying that this server stops"));
  }

 private:
  const std::string replica_id_;
  const std::string instance_text_;
};

class ReplicationSecret final : public TypedWriteRequest<std::string> {
 public:
  ReplicationSecret(std::int64_t now_us, Executor& on, collab::Done<std::string> done)
      : TypedWriteRequest(on, std::move(done)),
        offered_(fresh_replication_secret()),
        now_us_(now_us) {}

  int run(WriteSession& session) override {
    Statement& put = session.put_secret;
    put.bind_blob(1, offered_);
    put.bind(2, now_us_);
    put.bind(3, secret_checksum(1, offered_, now_us_));
    if (!put.run()) return put.code();
    Statement& select = session.select_secret;
    const ResetGuard guard(select);
    if (select.step()) answer(read_secret(select));
    return select.code();
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "making the servers' secret"));
  }

 private:
  const std::string offered_;  // taken when there is none yet
  const std::int64_t now_us_;
};

}  // namespace

std::unique_ptr<WriteRequest> compare_state_request(const DocumentId& document,
                                                    const collab::Journal::StateClaim& claim,
                                                    std::int64_t now_us, Executor& on,
                                                    collab::Done<std::uint64_t> done) {
  return std::make_unique<CompareState>(document, claim, now_us, on, std::move(done));
}

std::unique_ptr<WriteRequest> beat_request(collab::Replica replica, std::int64_t now_us,
                                           Executor& on, collab::Done<Unit> done) {
  return std::make_unique<Beat>(std::move(replica), now_us, on, std::move(done));
}

std::unique_ptr<WriteRequest> leave_request(std::string replica_id, const Uuid& instance,
                                            Executor& on, collab::Done<Unit> done) {
  return std::make_unique<Leave>(std::move(replica_id), instance, on, std::move(done));
}

std::unique_ptr<WriteRequest> replication_secret_request(std::int64_t now_us, Executor& on,
                                                         collab::Done<std::string> done) {
  return std::make_unique<ReplicationSecret>(now_us, on, std::move(done));
}

}  // namespace weft::storage

// DocumentActor: edits with an idempotency key. The key becomes durable together with the edit, so
// whoever asks again, also after a restart, gets the first answer; who asks while it is under way
// waits for it.
#include <utility>

#include "collab/document_actor.h"

namespace weft::collab {
namespace {

// A key's owner repeats a request that it has given up, one at a time.
constexpr std::size_t max_repetitions = 16;

Error key_reused() {
  return {ErrorClass::conflict, "idempotency_key_reused",
          "the key came before with another request"};
}

EditAnswer known_answer(DocumentRecord record, const EditKey& known) {
  EditAnswer answer;
  answer.record = std::move(record);
  answer.record.last_index = known.version;
  answer.before_index = known.before_index;
  answer.replayed = true;
  return answer;
}

}  // namespace

void DocumentActor::edit_once(ServerEdit request, Done<EditAnswer> done) {
  const std::string key = request.key;
  const auto found = edits_under_way_.find(key);
  if (found != edits_under_way_.end()) {
    EditUnderWay& first = *found->second;
    if (first.fingerprint != request.fingerprint) return done(key_reused());
    if (first.repetitions.size() >= max_repetitions) {
      return done(Error{ErrorClass::conflict, "edit_in_progress",
                        "the first request with this key is still under way"});
    }
    first.repetitions.emplace_back(std::move(request), std::move(done));
    return;
  }
  const auto first = std::make_shared<EditUnderWay>();
  first->fingerprint = request.fingerprint;
  edits_under_way_[key] = first;
  const Done<EditAnswer> finish = [actor = weak(), key, first,
                                   done = std::move(done)](const Result<EditAnswer>& answer) {
    const auto self = actor.lock();
    if (self) self->edits_under_way_.erase(key);
    done(answer);
    for (auto& [repetition, then] : std::exchange(first->repetitions, {})) {
      if (answer.ok()) {
        EditAnswer same = *answer;
        same.replayed = true;
        then(std::move(same));
      } else if (self) {
        // What failed has left nothing: the next one is the first.
        self->edit(std::move(repetition), std::move(then));
      } else {
        then(answer);
      }
    }
  };
  const std::uint64_t fingerprint = request.fingerprint;
  ports_.journal.find_edit(id_, key, ports_.executor,
                           [actor = weak(), fingerprint, finish, request = std::move(request)](
                               const Result<std::optional<EditKey>>& known) mutable {
                             const auto self = actor.lock();
                             if (!known.ok()) return finish(known.error());
                             if (!self) {
                               return finish(Error{ErrorClass::unavailable, "reloading",
                                                   "the document is being reloaded"});
                             }
                             if (!*known) return self->edit_as_author(std::move(request), finish);
                             if ((*known)->fingerprint != fingerprint) return finish(key_reused());
                             finish(known_answer(self->record_, **known));
                           });
}

/// What the journal was given is durable.
void DocumentActor::settle_keys() {
  for (const KeyedEdit& edit : std::exchange(committing_keys_, {})) edit.then(edit.fate);
}

/// Nobody knows what became of them: who asks again, with the same key, is told.
void DocumentActor::fail_keys() {
  for (const KeyedEdit& edit : std::exchange(committing_keys_, {})) edit.then(Fate{});
  for (const KeyedEdit& edit : std::exchange(queue_keys_, {})) edit.then(Fate{});
}

/// The key is stored with the rows of its edit, also when there are none.
void DocumentActor::answer_with_key(const ServerEdit& request, EditAnswer answer,
                                    const Done<EditAnswer>& done) {
  queue_keys_.push_back(
      {{request.key, request.fingerprint, answer.before_index, answer.record.last_index},
       [this, answer = std::move(answer), done](const Fate& fate) mutable {
         if (!fate.durable) return done(failure_);
         answer.move_on(fate.rows, fate.elements);
         done(answer);
       },
       {.durable = true}});
}

}  // namespace weft::collab

#include "storage/import_milestones.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rga/document.h"

namespace weft::storage {
namespace {

class Milestones : public std::enable_shared_from_this<Milestones> {
 public:
  Milestones(Store& store, const collab::DocumentRecord& record, Executor& on,
             collab::Done<Unit> done)
      : store_(store),
        id_(record.id),
        last_index_(record.last_index),
        on_(on),
        done_(std::move(done)),
        state_(record.ssn) {}

  void go_on() {
    if (index_ == last_index_) return done_(Unit{});
    // A page ends where a state is to be stored.
    const std::uint64_t next = index_ + collab::max_milestone_rows;
    const std::uint64_t milestone = std::min(next - next % collab::max_milestone_rows, last_index_);
    store_.read_rows(id_, index_, static_cast<std::size_t>(milestone - index_), on_,
                     [self = shared_from_this()](const Result<std::vector<collab::LogRow>>& rows) {
                       self->replay(rows);
                     });
  }

 private:
  void replay(const Result<std::vector<collab::LogRow>>& rows) {
    if (!rows.ok()) return done_(rows.error());
    for (const collab::LogRow& row : *rows) {
      if (state_.apply(row.operation()) != rga::ApplyOutcome::applied)
        return done_(damaged(row.index));
      index_ = row.index;
    }
    if (rows->empty()) return done_(damaged(index_ + 1));
    std::string bytes;
    state_.save(bytes);
    store_.save_snapshot(id_, index_, std::move(bytes), on_,
                         [self = shared_from_this()](const Result<Unit>& saved) {
                           if (!saved.ok()) return self->done_(saved.error());
                           self->go_on();
                         });
  }
  Error damaged(std::uint64_t index) const {
    return {ErrorClass::corrupt, "damaged_log",
            "row " + std::to_string(index) + " of document " + id_.to_string()};
  }

  Store& store_;
  const DocumentId id_;
  const std::uint64_t last_index_;
  Executor& on_;
  const collab::Done<Unit> done_;
  rga::Document state_;
  std::uint64_t index_ = 0;
};

}  // namespace

void store_milestones(Store& store, const collab::DocumentRecord& record, Executor& on,
                      collab::Done<Unit> done) {
  std::make_shared<Milestones>(store, record, on, std::move(done))->go_on();
}

}  // namespace weft::storage

#include "server/event_stream.h"

#include <algorithm>

#include "collab/history.h"
#include "server/author_json.h"
#include "server/live_json.h"

namespace weft::server {
namespace {

constexpr std::size_t rows_at_once = 32;
constexpr std::size_t enough_bytes = std::size_t{1} << 20;  // for one piece
// A document may have had thousands of sites; those that write now are few.
constexpr std::size_t max_known_authors = 256;
constexpr std::string_view heartbeat = ": still here\n\n";
// How soon a listener that was cut should come back, in milliseconds.
constexpr std::string_view retry_field = "retry: 1000\n";

}  // namespace

void EventStream::next(std::function<void(std::string)> ready) {
  const std::lock_guard lock(mutex_);
  ready_ = std::move(ready);
  ++turn_;
  if (ended_) {
    // Not here: the end lets go of this.
    return ports_.on.post([last = std::exchange(ready_, nullptr)] { last({}); });
  }
  step_if_due();
  ports_.on.post_after(pause_ms(), [weak = weak_from_this(), turn = turn_] {
    if (const auto self = weak.lock()) self->beat(turn);
  });
}

void EventStream::on_durable(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  durable_ = std::max(durable_, index);
  step_if_due();
}

void EventStream::on_presence(const collab::PresenceAnswer& presence) {
  const std::lock_guard lock(mutex_);
  presence_ = presence;
  step_if_due();
}

/// Who may not read any more hears nothing from then on, not even why: asking again tells.
void EventStream::on_access_changed() {
  if (!ports_.control.is_good(ports_.who)) {
    return on_end({ErrorClass::denied, "token_revoked", "the access token was revoked"});
  }
  ports_.control.role_of(
      id_, ports_.who, ports_.background,
      [weak = weak_from_this()](const Result<access::Role>& role) {
        const auto self = weak.lock();
        if (!self || (role.ok() && *role >= access::Role::viewer)) return;
        self->on_end({ErrorClass::denied, "access_revoked", "you may not be here any more"});
      });
}

std::int64_t EventStream::pause_ms() const {
  const std::int64_t left_ms = ports_.control.time_left_ms(ports_.who);
  return std::clamp<std::int64_t>(left_ms, 1, ports_.heartbeat_ms);
}

void EventStream::on_end(const Error& why) {
  const std::lock_guard lock(mutex_);
  end_ = why;
  step_if_due();
}

void EventStream::step_if_due() {
  if (!ready_ || stepping_) return;
  const bool has_presence = presence_ && presence_->index <= sent_;
  if (opened_ && durable_ <= sent_ && !has_presence && !end_) return;
  stepping_ = true;
  ports_.background.post(
      [self = shared_from_this(), pass = ports_.under_way.pass()] { self->step(pass); });
}

void EventStream::step(const std::shared_ptr<void>& pass) {
  std::optional<std::uint64_t> after;
  {
    const std::lock_guard lock(mutex_);
    if (ports_.control.time_left_ms(ports_.who) == 0 && !end_) {
      end_ = Error{ErrorClass::denied, "token_expired", "the access token has ended"};
    }
    const bool may_hear = !end_ || end_->error_class != ErrorClass::denied;
    if (opened_ && durable_ > sent_ && may_hear) after = sent_;
  }
  if (!after) return tell_rest();
  ports_.journal.read_rows(
      id_, *after, rows_at_once, ports_.background,
      [self = shared_from_this(), pass](const Result<std::vector<collab::LogRow>>& rows) {
        self->tell_rows(rows, pass);
      });
}

void EventStream::tell_rows(const Result<std::vector<collab::LogRow>>& rows,
                            const std::shared_ptr<void>& pass) {
  // A listener that is cut here comes back and is told what is wrong.
  if (!rows.ok() && rows.error().error_class == ErrorClass::gone) {
    return deliver(deleted_event(rows.error()), true);
  }
  if (!rows.ok() || rows->empty()) return deliver({}, true);
  const auto played = collab::play(document_, *rows, enough_bytes);
  if (!played.ok()) return deliver({}, true);
  auto sids = sids_of(*played, [](const collab::PlayedRow& row) { return row.row.sid; });
  if (authors_.size() > max_known_authors) authors_.clear();
  std::erase_if(sids, [this](std::uint64_t sid) { return authors_.contains(sid); });
  if (sids.empty()) return tell_played(*played);
  for (const std::uint64_t sid : sids) authors_[sid];
  ports_.journal.authors_of(id_, std::move(sids), ports_.background,
                            [self = shared_from_this(), pass, played = *played](
                                const Result<std::vector<collab::SiteAuthor>>& authors) {
                              if (!authors.ok()) return self->deliver({}, true);
                              for (const auto& [sid, author] : *authors) {
                                self->authors_[sid] = author;
                              }
                              self->tell_played(played);
                            });
}

void EventStream::tell_played(const std::vector<collab::PlayedRow>& rows) {
  std::string piece;
  for (const collab::PlayedRow& row : rows) {
    const std::optional<collab::Author>& author = authors_.at(row.row.sid);
    piece += edit_event(row, author ? &*author : nullptr);
  }
  {
    const std::lock_guard lock(mutex_);
    sent_ = rows.back().row.index;
  }
  deliver(std::move(piece), false);
}

void EventStream::tell_rest() {
  std::string piece;
  bool is_last = false;
  {
    const std::lock_guard lock(mutex_);
    if (!opened_) piece.append(retry_field).append(open_event(sent_));
    opened_ = true;
    if (presence_ && presence_->index <= sent_ && !end_) {
      piece += presence_event(*presence_);
      presence_.reset();
    }
    if (end_ && end_->error_class == ErrorClass::denied) {
      is_last = true;
    } else if (end_ && durable_ <= sent_) {
      is_last = true;
      if (end_->error_class == ErrorClass::gone) piece += deleted_event(*end_);
    }
  }
  deliver(std::move(piece), is_last);
}

void EventStream::deliver(std::string piece, bool is_last) {
  const std::lock_guard lock(mutex_);
  stepping_ = false;
  ended_ = ended_ || is_last;
  if (piece.empty() && !ended_) return step_if_due();
  ports_.on.post([ready = std::exchange(ready_, nullptr), piece = std::move(piece)] {
    if (ready) ready(piece);
  });
}

/// So that both sides, and whoever is between them, see that the other is still there.
void EventStream::beat(std::uint64_t turn) {
  std::function<void(std::string)> ready;
  {
    const std::lock_guard lock(mutex_);
    if (turn != turn_ || stepping_) return;
    ready = std::exchange(ready_, nullptr);
  }
  if (!ready) return;
  // Nothing is the end.
  ready(ports_.control.time_left_ms(ports_.who) > 0 ? std::string(heartbeat) : std::string());
}

}  // namespace weft::server

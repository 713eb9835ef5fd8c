// EventStream: one listener's server-sent events of one document: what each row of the log does to
// the text, who is there, and its end. Rows are read from the log only when the listener has taken
// what came before, so a slow one costs no memory and misses nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ports.h"
#include "collab/history.h"
#include "collab/ports.h"
#include "collab/watcher.h"
#include "rga/document.h"
#include "server/access_control.h"
#include "server/asked.h"
#include "server/http_message.h"

namespace weft::server {

class EventStream final : public BodySource,
                          public collab::Watcher,
                          public std::enable_shared_from_this<EventStream> {
 public:
  struct Ports {
    collab::Journal& journal;
    Executor& background;  // what takes long is done there
    UnderWay& under_way;   // whoever goes before this waits for it
    Executor& on;          // the listener's loop
    std::int64_t heartbeat_ms;
    std::shared_ptr<void> lease;  // its place among the allowed number of listeners
    AccessControl& control;
    access::Claims who;
  };
  /// `document` is the state at log index `version`, where the listener begins.
  EventStream(const DocumentId& id, rga::Document document, std::uint64_t version, Ports ports)
      : id_(id),
        ports_(std::move(ports)),
        document_(std::move(document)),
        sent_(version),
        durable_(version) {}

  // --- BodySource, on the listener's loop -------------------------------------------------------
  void next(std::function<void(std::string)> ready) override;

  // --- collab::Watcher, on the document's loop --------------------------------------------------
  void on_durable(std::uint64_t index) override;
  void on_presence(const collab::PresenceAnswer& presence) override;
  void on_access_changed() override;
  void on_end(const Error& why) override;

 private:
  /// Something is wanted, something is to be said, and nobody is at it. REQUIRES: the lock.
  void step_if_due();
  void step(const std::shared_ptr<void>& pass);
  void tell_rows(const Result<std::vector<collab::LogRow>>& rows,
                 const std::shared_ptr<void>& pass);
  void tell_played(const std::vector<collab::PlayedRow>& rows);
  void tell_rest();
  /// Gives what was written to the listener.
  void deliver(std::string piece, bool is_last);
  void beat(std::uint64_t turn);
  /// How long until it must be said that the stream lives, or that its token has ended.
  std::int64_t pause_ms() const;

  const DocumentId id_;
  const Ports ports_;
  rga::Document document_;  // at sent_; the step's own, as what follows
  std::map<std::uint64_t, std::optional<collab::Author>> authors_;  // of sites that were asked for

  std::mutex mutex_;
  std::function<void(std::string)> ready_;  // waits for the next piece
  std::uint64_t turn_ = 0;                  // of asking for pieces
  bool stepping_ = false;
  bool opened_ = false;
  bool ended_ = false;
  std::uint64_t sent_;
  std::uint64_t durable_;
  std::optional<collab::PresenceAnswer> presence_;  // not told yet
  std::optional<Error> end_;
};

}  // namespace weft::server

#include "server/replicas.h"

#include <boost/json.hpp>
#include <utility>

#include "server/document_json.h"
#include "server/problem.h"
#include "server/responses.h"

namespace weft::server {
namespace {

namespace json = boost::json;

std::string to_json(const std::vector<collab::Replica>& replicas, const Uuid& self,
                    std::int64_t now_us) {
  json::array all;
  for (const collab::Replica& replica : replicas) {
    json::object one;
    one["replica_id"] = replica.replica_id;
    one["instance"] = replica.instance.to_string();
    one["version"] = replica.version;
    one["url"] = replica.url;
    one["bus"] = replica.bus;
    one["started"] = to_rfc3339(replica.started_us);
    one["seen"] = to_rfc3339(replica.seen_us);
    one["alive"] = now_us - replica.seen_us < collab::replica_silence_us;
    one["self"] = replica.instance == self;
    all.push_back(std::move(one));
  }
  json::object out;
  out["replicas"] = std::move(all);
  return json::serialize(out);
}

}  // namespace

Replicas::Replicas(collab::Replica self, ReplicaPorts ports, Clock& clock, Log& log, Executor& loop,
                   std::function<void(const DocumentId&, std::string)> tell,
                   std::function<void()> look)
    : self_(std::move(self)),
      ports_(ports),
      clock_(clock),
      log_(log),
      loop_(loop),
      tell_(std::move(tell)),
      look_(std::move(look)) {}

void Replicas::start() {
  if (ports_.bus != nullptr) {
    ports_.bus->start([this](std::string message) { hear(std::move(message)); });
  }
  if (ports_.registry != nullptr) loop_.post([this] { beat(); });
}

void Replicas::hear(std::string message) const {
  const auto decoded = collab::decode_replica_message(message);
  if (!decoded.ok()) {
    log_.write(LogLevel::warning, "replica_message_refused", decoded.error().message);
    return;
  }
  if (!decoded->has_value() || (*decoded)->instance == self_.instance) return;
  if (std::holds_alternative<collab::AccessNews>((*decoded)->content)) return look_();
  const DocumentId document = document_of(**decoded);
  tell_(document, std::move(message));
}

void Replicas::access_changed() const {
  if (ports_.bus == nullptr) return;
  ports_.bus->publish(
      encode(collab::ReplicaMessage{self_.replica_id, self_.instance, collab::AccessNews{}}));
}

void Replicas::beat() {
  if (has_left_) return;
  ports_.registry->beat(self_, loop_, [this](const Result<Unit>& answer) {
    const bool failed = !answer.ok();
    if (failed && !is_failing_) {
      log_.write(LogLevel::warning, answer.error().code,
                 "the replicas' heartbeat: " + answer.error().message);
    }
    is_failing_ = failed;
    loop_.post_after(collab::replica_beat_us / 1000, [this] { beat(); });
  });
}

void Replicas::leave(std::function<void()> done) {
  loop_.post([this, done = std::move(done)]() mutable {
    has_left_ = true;
    if (ports_.registry == nullptr) return done();
    ports_.registry->leave(self_.replica_id, self_.instance, loop_,
                           [done = std::move(done)](const Result<Unit>&) { done(); });
  });
}

void Replicas::list(const Call& call) const {
  const std::int64_t now_us = clock_.unix_us();
  if (ports_.registry == nullptr) {
    collab::Replica alone = self_;
    alone.seen_us = now_us;
    return call.respond(json_response(200, to_json({alone}, self_.instance, now_us)));
  }
  ports_.registry->list_replicas(
      call.on, [respond = call.respond, request_id = call.request.request_id, now_us,
                self = self_.instance](const Result<std::vector<collab::Replica>>& replicas) {
        if (!replicas.ok()) return respond(problem(replicas.error(), request_id));
        respond(json_response(200, to_json(*replicas, self, now_us)));
      });
}

void Replicas::take(const Call& call) const {
  if (ports_.inbox == nullptr) {
    return call.refuse(404, "no_sns_endpoint",
                       "This server is not subscribed to anything by HTTP.");
  }
  ports_.inbox->take(call.request.body, [call, &on = call.on](Status taken) {
    on.post([call, taken = std::move(taken)] {
      if (!taken) return call.refuse(taken.error());
      Response nothing;
      nothing.status = 204;
      call.respond(std::move(nothing));
    });
  });
}

}  // namespace weft::server

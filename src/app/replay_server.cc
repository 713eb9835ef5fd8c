#include "app/replay_server.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "app/replay_author.h"
#include "app/sync_client_http.h"
#include "app/sync_client_link.h"

namespace weft::app {
namespace {

namespace json = boost::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view documents_path = "/api/v1/documents";
/// Longer than a link waits for a server that went away.
constexpr std::chrono::seconds stall_timeout{20};
constexpr std::chrono::seconds goodbye_timeout{2};

double ms_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

class ServerPlay {
 public:
  ServerPlay(const ServerTarget& target, const Trace& trace, const TracePlan& plan,
             const CoreReplay& core, Random& random)
      : target_(target),
        trace_(trace),
        plan_(plan),
        core_(core),
        random_(random),
        script_{trace, plan, core.played, {}} {}

  ServerReplay play(const std::string& title) {
    if (create(title)) {
      if (join()) run();
      if (out_.problem.empty()) judge();
      hang_up();
      if (!target_.keep) remove();
    }
    fill_in_figures();
    return std::move(out_);
  }

 private:
  struct Push {
    std::uint64_t last_seq;
    SteadyClock::time_point since;
  };
  struct Author {
    std::unique_ptr<SyncClientLink> link;
    std::unique_ptr<ReplayAuthor> player;
    std::uint64_t sealed_seq = 0;
    std::deque<Push> unacknowledged;
    std::deque<Push> unseen;  // by the watcher
  };

  // --- REST --------------------------------------------------------------------------------------

  bool create(const std::string& title) {
    HttpRequest request{.method = "POST", .target = std::string(documents_path), .body = ""};
    request.body = json::serialize(json::object{{"title", title}});
    const auto answer = send_http(target_.url, request);
    if (!answer.ok()) return blame(answer.error().message);
    if (answer->status != 201) {
      return blame("the server did not create a document: status " +
                   std::to_string(answer->status));
    }
    boost::system::error_code failed;
    const json::value body = json::parse(answer->body, failed);
    const json::object* object = failed ? nullptr : body.if_object();
    const json::value* id = object != nullptr ? object->if_contains("document_id") : nullptr;
    if (id == nullptr || !id->is_string()) return blame("the server named no document_id");
    out_.document_id = id->get_string().c_str();
    return true;
  }

  std::string document_path() const { return std::string(documents_path) + "/" + out_.document_id; }

  void remove() {
    const auto answer =
        send_http(target_.url, {.method = "DELETE", .target = document_path(), .body = ""});
    if (answer.ok() && answer->status / 100 == 2) return;
    blame("the document " + out_.document_id + " could not be deleted");
  }

  // --- connections -------------------------------------------------------------------------------

  std::unique_ptr<SyncClientLink> link(bool hold_back, std::function<void()> received) {
    const SyncClientOptions options{Uuid::from_random(random_.next(), random_.next()), "",
                                    hold_back};
    ++out_.figures.connections;
    return std::make_unique<SyncClientLink>(
        io_, target_.url, document_path() + "/ws", options, random_,
        SyncLinkEvents{std::move(received), [this](const Error& error) { blame(error.message); }});
  }

  /// One after the other, so that sites ascend like authors: among equal sums the site decides.
  bool join() {
    const auto begin = SteadyClock::now();
    for (std::uint32_t i = 0; i < plan_.authors; ++i) {
      Author& author = authors_.emplace_back();
      author.link = link(true, [this, i] { on_received(i); });
      if (!join(*author.link)) return false;
      const std::uint64_t sid = author.link->client().sid();
      if (!script_.sids.empty() && sid <= script_.sids.back()) {
        return blame("the server leased a site that is not above the one before");
      }
      script_.sids.push_back(sid);
      author.player = std::make_unique<ReplayAuthor>(script_, i, author.link->client());
    }
    watcher_ = link(false, [this] { on_watched(); });
    const bool joined = join(*watcher_);
    out_.figures.join_ms = ms_since(begin);
    return joined;
  }

  bool join(SyncClientLink& link) {
    link.start();
    run_until([&link] { return link.client().joined(); });
    return out_.problem.empty();
  }

  void hang_up() {
    for (const Author& author : authors_) {
      author.link->stop();
      out_.figures.reconnects += author.link->reconnects();
    }
    for (const auto* link : {&watcher_, &latecomer_}) {
      if (*link) (*link)->stop();
    }
    io_.restart();
    io_.run_for(goodbye_timeout);
  }

  // --- playing -----------------------------------------------------------------------------------

  void run() {
    const auto begin = SteadyClock::now();
    playing_ = true;
    for (std::uint32_t i = 0; i < authors_.size(); ++i) edit(i);
    run_until([this] { return everybody_has_everything(); });
    playing_ = false;
    out_.figures.seconds = ms_since(begin) / 1e3;
  }

  /// Runs events until `done`, or until there is a problem.
  template <class Done>
  void run_until(Done done) {
    last_progress_ = SteadyClock::now();
    io_.restart();
    while (out_.problem.empty() && !done()) {
      io_.run_one_for(std::chrono::milliseconds(500));
      if (io_.stopped()) io_.restart();
      const std::uint64_t progress = measure_progress();
      if (progress != progress_) {
        progress_ = progress;
        last_progress_ = SteadyClock::now();
      } else if (SteadyClock::now() - last_progress_ > stall_timeout) {
        blame("nothing moved for " + std::to_string(stall_timeout.count()) + " s");
      }
    }
  }

  std::uint64_t measure_progress() const {
    return acknowledged_ + (watcher_ ? watcher_->client().document().sum() : 0);
  }

  void on_received(std::uint32_t i) {
    if (!playing_) return;
    Author& author = authors_[i];
    SyncClient& client = author.link->client();
    while (!author.unacknowledged.empty() &&
           author.unacknowledged.front().last_seq <= client.acked_seq()) {
      ack_ms_.push_back(ms_since(author.unacknowledged.front().since));
      author.unacknowledged.pop_front();
      ++acknowledged_;
    }
    edit(i);
    advance();
  }

  void on_watched() {
    for (std::uint32_t i = 0; i < authors_.size(); ++i) {
      const std::uint64_t seen = watcher_->client().document().seq_of(script_.sids[i]);
      std::deque<Push>& unseen = authors_[i].unseen;
      while (!unseen.empty() && unseen.front().last_seq <= seen) {
        propagation_ms_.push_back(ms_since(unseen.front().since));
        unseen.pop_front();
      }
    }
  }

  /// With three or more authors, stretches enter the log in the order of the history: the next one
  /// begins when the one before is durable.
  void advance() {
    if (authors_.size() < 3) return;
    while (turn_ < plan_.stretches.size() && out_.problem.empty()) {
      const std::uint32_t author = plan_.stretches[turn_].author;
      if (authors_[author].player->stretch() <= turn_) return;
      if (authors_[author].link->client().batches_in_flight() > 0) return;
      ++turn_;
      if (turn_ < plan_.stretches.size()) edit(plan_.stretches[turn_].author);
    }
  }

  void edit(std::uint32_t i) {
    Author& author = authors_[i];
    SyncClient& client = author.link->client();
    if (!client.joined()) return;
    const std::size_t until = authors_.size() < 3 ? plan_.stretches.size() : turn_ + 1;
    Status status = author.player->edit_on(until);
    if (status.ok() && author.player->done()) status = client.integrate_all();
    if (!status.ok()) {
      blame(status.error().message);
      return;
    }
    if (client.sealed_seq() > author.sealed_seq) note_pushes(author);
    author.link->flush();
  }

  void note_pushes(Author& author) {
    const auto now = SteadyClock::now();
    author.link->client().for_each_batch([&](std::uint64_t last_seq) {
      if (last_seq <= author.sealed_seq) return;
      author.unacknowledged.push_back({last_seq, now});
      author.unseen.push_back({last_seq, now});
      ++out_.figures.pushes;
    });
    author.sealed_seq = author.link->client().sealed_seq();
  }

  bool everybody_has_everything() const {
    const auto has_all = [this](const SyncClientLink& link) {
      return link.client().in_sync() && link.client().document().sum() == core_.played.sum;
    };
    return std::all_of(authors_.begin(), authors_.end(),
                       [&](const Author& a) { return a.player->done() && has_all(*a.link); }) &&
           has_all(*watcher_);
  }

  // --- judging -----------------------------------------------------------------------------------

  void judge() {
    const std::string text = watcher_->client().document().text();
    const std::uint64_t hash = watcher_->client().document().state_hash();
    for (std::uint32_t i = 0; i < authors_.size(); ++i) {
      compare("author " + std::to_string(i), *authors_[i].link, text, hash);
      out_.figures.enlarged_edits += authors_[i].player->enlarged_edits();
    }
    latecomer_ = link(false, [] {});
    if (join(*latecomer_)) compare("a client that joined late", *latecomer_, text, hash);
    compare_rest(text);
    if (!out_.problem.empty()) return;
    const bool is_exact = out_.figures.enlarged_edits == 0;
    if (is_exact && text != core_.played.text) {
      blame("everybody agrees, but not on the text of the core's own replay");
    } else if (core_.problem.empty() && text != trace_.end_content) {
      blame("everybody agrees, but not on the recorded endContent; " +
            std::to_string(out_.figures.enlarged_edits) + " of " + std::to_string(trace_.edits) +
            " edits had to be made on a larger version than recorded");
    }
  }

  void compare(const std::string& who, const SyncClientLink& link, const std::string& text,
               std::uint64_t hash) {
    const rga::Document& document = link.client().document();
    if (document.text() != text) blame(who + " has another text than the watcher");
    if (document.state_hash() != hash) blame(who + " has another state than the watcher");
  }

  void compare_rest(const std::string& text) {
    HttpRequest request{.method = "GET", .target = document_path() + "/text", .body = ""};
    request.accept = "text/plain";
    const auto answer = send_http(target_.url, request);
    if (!answer.ok()) {
      blame(answer.error().message);
    } else if (answer->status != 200) {
      blame("the text could not be read: status " + std::to_string(answer->status));
    } else if (answer->body != text) {
      blame("GET .../text has another text than the watcher");
    }
  }

  /// Remembers the first problem. Always false.
  bool blame(std::string problem) {
    if (out_.problem.empty()) out_.problem = std::move(problem);
    return false;
  }

  void fill_in_figures() {
    ServerFigures& figures = out_.figures;
    figures.ack_p50_ms = percentile(ack_ms_, 0.5);
    figures.ack_p99_ms = percentile(ack_ms_, 0.99);
    figures.propagation_p50_ms = percentile(propagation_ms_, 0.5);
    figures.propagation_p99_ms = percentile(propagation_ms_, 0.99);
    if (figures.seconds <= 0) return;
    figures.edits_per_s = static_cast<double>(trace_.edits) / figures.seconds;
    figures.operations_per_s = static_cast<double>(core_.figures.operations) / figures.seconds;
  }

  const ServerTarget& target_;
  const Trace& trace_;
  const TracePlan& plan_;
  const CoreReplay& core_;
  Random& random_;
  boost::asio::io_context io_{1};
  ReplayScript script_;
  ServerReplay out_;
  std::deque<Author> authors_;
  std::unique_ptr<SyncClientLink> watcher_;
  std::unique_ptr<SyncClientLink> latecomer_;
  bool playing_ = false;
  std::size_t turn_ = 0;  // the stretch that may enter the log
  std::uint64_t acknowledged_ = 0;
  std::uint64_t progress_ = 0;
  SteadyClock::time_point last_progress_;
  std::vector<double> ack_ms_;
  std::vector<double> propagation_ms_;
};

}  // namespace

ServerReplay replay_on_server(const ServerTarget& target, const std::string& title,
                              const Trace& trace, const TracePlan& plan, const CoreReplay& core,
                              Random& random) {
  return ServerPlay(target, trace, plan, core, random).play(title);
}

}  // namespace weft::app

#include "tests/purge/star.h"

#include <algorithm>
#include <utility>

namespace weft::rga::purge {
namespace {

constexpr std::size_t the_server = ~std::size_t{0};

}  // namespace

Star::Star(std::uint64_t seed, const Rules& rules) : dice_(seed), rules_(rules) {
  const std::uint32_t count = dice_.between(2, 4);
  server_.sid = 1 + dice_.below(9);
  for (std::uint32_t i = 0; i < count; ++i) {
    clients_.emplace_back();
    clients_.back().sid = 10 + (i * 7 + seed) % 31;
  }
  if (!all_kept()) return;
  server_.document = std::make_unique<BasicDocument<TinyShape>>();
  for (Replica& client : clients_) client.document = std::make_unique<BasicDocument<TinyShape>>();
}

void Star::fail(const std::string& what) {
  if (report_.problem.empty()) report_.problem = what;
}

Report Star::run() {
  const std::uint32_t steps = dice_.between(30, 160);
  for (std::uint32_t step = 0; step < steps && !failed(); ++step) {
    const std::size_t client = dice_.below(static_cast<std::uint32_t>(clients_.size()));
    const std::uint32_t action = dice_.below(100);
    if (action < 50) {
      edit(client);
    } else if (action < 70) {
      push(client, dice_.between(1, 5));
    } else if (action < 88) {
      const std::uint64_t missing = log_.size() - clients_[client].applied;
      hear(client, clients_[client].applied + dice_.below(static_cast<std::uint32_t>(missing) + 1));
    } else {
      purge();
    }
  }
  for (std::size_t i = 0; i < clients_.size(); ++i) push(i, clients_[i].pending.size());
  for (std::size_t i = 0; i < clients_.size(); ++i) hear(i, log_.size());
  if (!failed()) compare();
  return report_;
}

// --- what clients do -----------------------------------------------------------------------------

void Star::edit(std::size_t client) {
  Replica& replica = clients_[client];
  std::vector<ElementId> visible;
  for (const Element& element : replica.list) {
    if (!element.tombstone) visible.push_back(element.id.element());
  }
  const auto count = static_cast<std::uint32_t>(visible.size());
  Entry entry{client, {}, {}};
  Operation& op = entry.op;
  op.len = 1;
  op.id = {1, replica.sum + 1, replica.sid, replica.seq + 1};
  if (count > 0 && dice_.chance(45)) {
    op.kind = OpKind::erase;
    op.ref = visible[dice_.below(count)];
  } else {
    const std::uint32_t at = dice_.below((dice_.chance(60) ? std::min(count, 4u) : count) + 1);
    if (at > 0) op.ref = visible[at - 1];
    entry.text.assign(1, static_cast<char>('a' + dice_.below(26)));
    op.text = entry.text;
  }
  integrate(replica, op, never);
  op.text = {};
  replica.pending.push_back({std::move(entry), replica.applied});
}

void Star::push(std::size_t client, std::size_t count) {
  Replica& replica = clients_[client];
  for (; count > 0 && !replica.pending.empty() && !failed(); --count) {
    log_.push_back(std::move(replica.pending.front().entry));
    replica.pending.pop_front();
    Entry& entry = log_.back();
    entry.op.text = entry.text;
    integrate(server_, entry.op, log_.size());
    entry.op.text = {};
    server_.applied = log_.size();
  }
}

void Star::hear(std::size_t client, std::uint64_t up_to) {
  Replica& replica = clients_[client];
  while (replica.applied < up_to && !failed()) {
    const Entry& entry = log_[replica.applied++];
    Operation op = entry.op;
    op.text = entry.text;
    if (entry.author == client) {
      stamp(replica, op, replica.applied);
    } else {
      integrate(replica, op, replica.applied);
    }
  }
  std::uint64_t acknowledged = replica.applied;
  if (rules_.own_pending && !replica.pending.empty()) {
    acknowledged = std::min(acknowledged, replica.pending.front().base);
  }
  replica.acknowledged = std::max(replica.acknowledged, acknowledged);
}

// --- lists ---------------------------------------------------------------------------------------

std::size_t Star::find(const Replica& replica, ElementId id) {
  std::size_t at = 0;
  while (at < replica.list.size() && replica.list[at].id.element() != id) ++at;
  return at;
}

void Star::integrate(Replica& replica, const Operation& op, std::uint64_t index) {
  std::vector<Element>& list = replica.list;
  replica.sum += op.len;
  if (op.id.sid == replica.sid) replica.seq += op.len;
  std::size_t at = op.ref.is_head() ? 0 : find(replica, op.ref);
  const bool found = op.ref.is_head() || at < list.size();
  if (op.kind == OpKind::insert) {
    if (!found) return fail("a reference is lost");
    if (!op.ref.is_head()) ++at;
    while (at < list.size() && precedes(op.id, list[at].id)) ++at;
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(at),
                Element{op.id, false, index, never});
  } else if (op.kind == OpKind::erase && found) {  // what is purged was erased by all
    list[at].tombstone = true;
    list[at].erased = std::min(list[at].erased, index);
  } else if (op.kind == OpKind::purge) {
    for (std::uint32_t i = 0; i < op.len; ++i) {
      const std::size_t target = find(replica, {op.ref.sid, op.ref.seq + i});
      if (target == list.size()) return fail("what is to be purged is not there");
      if (!list[target].tombstone) return fail("what is to be purged is visible");
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(target));
    }
  }
  if (replica.document && replica.document->apply(op) != ApplyOutcome::applied) {
    fail("a document refuses a row");
  }
}

void Star::stamp(Replica& replica, const Operation& op, std::uint64_t index) {
  if (op.kind == OpKind::insert) {
    const std::size_t at = find(replica, op.id.element());
    if (at < replica.list.size()) replica.list[at].inserted = index;
  } else {
    const std::size_t at = find(replica, op.ref);
    if (at == replica.list.size()) return;
    replica.list[at].erased = std::min(replica.list[at].erased, index);
  }
}

// --- purging -------------------------------------------------------------------------------------

std::vector<ElementId> Star::targets(const Replica& replica, std::uint64_t horizon) const {
  std::vector<ElementId> all;
  bool next_known = true;
  for (auto element = replica.list.rbegin(); element != replica.list.rend(); ++element) {
    const bool erased = element->tombstone && (!rules_.erase_known || element->erased <= horizon);
    if (erased && (next_known || !rules_.next_known)) {
      all.push_back(element->id.element());
    } else {
      next_known = element->inserted <= horizon;
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

void Star::purge() {
  std::uint64_t horizon = never;
  for (const Replica& client : clients_) horizon = std::min(horizon, client.acknowledged);
  if (rules_.in_log_order) return log_purge(horizon + rules_.too_far);
  // At once, anywhere.
  const auto who = dice_.below(static_cast<std::uint32_t>(clients_.size()) + 1);
  Replica& replica = who < clients_.size() ? clients_[who] : server_;
  for (const ElementId target : targets(replica, std::min(horizon, replica.applied))) {
    replica.list.erase(replica.list.begin() + static_cast<std::ptrdiff_t>(find(replica, target)));
    ++report_.purged;
  }
}

BasicDocument<TinyShape> Star::replay(std::uint64_t up_to) const {
  BasicDocument<TinyShape> document;
  for (std::uint64_t i = 0; i < up_to; ++i) {
    Operation op = log_[i].op;
    op.text = log_[i].text;
    document.apply(op);
  }
  return document;
}

void Star::log_purge(std::uint64_t horizon) {
  const std::vector<ElementId> all = targets(server_, horizon);
  std::vector<collab::IdStretch> stretches;
  for (const ElementId target : all) {
    const bool goes_on = !stretches.empty() &&
                         ElementId{stretches.back().first.sid,
                                   stretches.back().first.seq + stretches.back().len} == target;
    if (goes_on) {
      ++stretches.back().len;
    } else {
      stretches.push_back({target, 1});
    }
  }
  if (server_.document && collab::plan_purge(replay(horizon), *server_.document) != stretches) {
    return fail("the planner plans something else");
  }
  report_.purged += all.size();
  for (const collab::IdStretch& stretch : stretches) {
    Operation op;
    op.kind = OpKind::purge;
    op.len = stretch.len;
    op.id = {1, server_.sum + 1, server_.sid, server_.seq + 1};
    op.ref = stretch.first;
    log_.push_back({the_server, op, {}});
    integrate(server_, op, log_.size());
    server_.applied = log_.size();
  }
}

void Star::compare() {
  const auto same = [](const Element& a, const Element& b) {
    return a.id == b.id && a.tombstone == b.tombstone;
  };
  const auto visible = [](const Replica& replica) {
    std::vector<Element> elements;
    for (const Element& e : replica.list) {
      if (!e.tombstone) elements.push_back(e);
    }
    return elements;
  };
  const std::vector<Element> expected = visible(server_);
  for (const Replica& client : clients_) {
    const std::vector<Element> here = visible(client);
    if (!std::equal(here.begin(), here.end(), expected.begin(), expected.end(), same)) {
      return fail("replicas differ");
    }
  }
  if (!server_.document) return;
  for (const Replica& client : clients_) {
    client.document->check_invariants();
    if (client.document->state_hash() != server_.document->state_hash()) {
      return fail("documents differ");
    }
  }
  std::size_t at = 0;
  bool equal = server_.document->element_count() == server_.list.size();
  server_.document->for_each_run([&](const RunView& run) {
    for (std::uint32_t i = 0; i < run.len && at < server_.list.size(); ++i, ++at) {
      equal = equal && server_.list[at].id == run.first.plus(i) &&
              server_.list[at].tombstone == run.tombstone;
    }
  });
  if (!equal) fail("the document is not what the list is");
}

}  // namespace weft::rga::purge

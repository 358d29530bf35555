// The listening sockets of the primary: who asked for which, when they open and close, and when
// they accept.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/listeners.hpp"

#include "common/core/assert.hpp"
#include "common/core/convert.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

namespace prong::core {
namespace {

// How long accepting pauses when there are no descriptors left: long enough not to spin, short
// enough for a client not to notice.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

bool listeners::listen(worker_id id, std::size_t slot, wire::listen const& frame) {
  member const asker{id, acceptor_id{frame.acceptor}, slot};
  if (knows(asker)) return false;
  auto const what = from_wire(frame);
  auto const found = find(asker, what, frame.index);
  if (found == table_.end()) {
    open(what, frame.index, asker);
  } else {
    auto& [at, there] = *found;
    if (is_member(there, id))
      fail(asker, what, asio::error::address_in_use);
    else
      admit(at, there, asker);
  }
  return true;
}

bool listeners::listens_alone(worker_id id, wire::listens_alone const& what) {
  member const who{id, acceptor_id{what.acceptor}, 0};
  if (knows(who)) return false;
  auto const where = from_wire(what.endpoint);
  if (auto const why = from_wire(what.why)) {
    actions_.push(action::emit{worker_listen_failed{id, where, {}, why}});
  } else {
    loners_.push_back({who, where});
    actions_.push(action::emit{worker_listening{id, where}});
  }
  return true;
}

bool listeners::knows(member const& who) const {
  for (auto const& [_, each] : table_)
    if (std::find(each.members.begin(), each.members.end(), who) != each.members.end()) return true;
  return std::any_of(loners_.begin(), loners_.end(),
                     [&](loner const& each) { return each.who == who; });
}

bool listeners::is_member(listener const& at, worker_id id) {
  return std::any_of(at.members.begin(), at.members.end(),
                     [id](member const& each) { return each.id == id; });
}

bool listeners::fits(listener const& at, listen_request const& what, std::uint32_t index) {
  if (what.from || at.asked.from)
    return what.from == at.asked.from && what.where.transport == at.asked.where.transport;
  if (what.where == at.asked.where && what.any_address == at.asked.any_address)
    return !can_be_repeated(what) || index == at.index;
  // A port that was got as port 0 is found by its number, too.
  if (what.where.port == 0) return false;
  return what.where == at.bound ||
         (what.any_address && at.asked.any_address && what.where.port == at.bound.port);
}

listeners::table::iterator listeners::find(member const& asker, listen_request const& what,
                                           std::uint32_t index) {
  return std::find_if(table_.begin(), table_.end(), [&](auto const& entry) {
    auto const& at = entry.second;
    if (!at.open || (at.slot && at.slot != asker.slot)) return false;
    if (what.how.reuse_address && is_member(at, asker.id)) return false;  // it wants another one
    return fits(at, what, index);
  });
}

void listeners::open(listen_request const& what, std::uint32_t index, member const& first) {
  listener_id const id{++last_id_};
  auto request = what;
  bool const divided = is_divided(what);
  if (divided) {
    request.how.reuse_port = true;
    // The other slots have got a port already.
    auto const other = std::ranges::find_if(table_, [&](auto const& each) {
      return each.second.open && each.second.slot && fits(each.second, what, index);
    });
    if (other != table_.end()) request.where.port = other->second.bound.port;
  }
  auto& added = table_.try_emplace(id, what, index, make_policy(settings_.policy, settings_.choose))
                    .first->second;
  if (divided) added.slot = first.slot;
  added.members.push_back(first);
  actions_.push(action::open_listener{id, std::move(request)});
}

bool listeners::is_divided(listen_request const& what) const noexcept {
  return settings_.policy == scheduling::sharded && what.where.transport == transport::tcp &&
         !what.from;
}

bool listeners::is_shared(listener const& at) const noexcept {
  return workers_accept(settings_.policy) || at.asked.where.transport == transport::udp;
}

void listeners::on_opened(listener_id id, error_code ec, endpoint const& bound) {
  auto& opened = table_.at(id);
  PRONG_ASSERT(!opened.open && opened.members.size() <= 1, "a listener is opened for its asker");
  auto const askers = std::exchange(opened.members, {});
  if (ec) {
    for (auto const& each : askers) fail(each, opened.asked, ec);
    table_.erase(id);  // nothing remembers the failure: the next who asks tries again
    return;
  }
  opened.open = true;
  opened.bound = bound;
  for (auto const& each : askers) admit(id, opened, each);
  if (!askers.empty()) return;
  close(id, opened);  // who asked was told to drain meanwhile
  erase_closed();
}

void listeners::admit(listener_id id, listener& at, member const& joins) {
  at.members.push_back(joins);
  bool const shared = is_shared(at);
  bool const queue = shared && !at.slot && at.bound.transport != transport::udp;
  wire::listening const reply{static_cast<std::uint64_t>(joins.acceptor), to_wire(at.bound), shared,
                              goes_by_load(settings_.policy),
                              queue ? static_cast<std::uint32_t>(id) : 0};
  if (reply.shared) {
    actions_.push(action::share{joins.id, id, reply});
  } else {
    actions_.push(action::send{joins.id, reply});
    at.connections.join(joins.id, joins.slot, joins.acceptor);
  }
  actions_.push(action::emit{worker_listening{joins.id, at.bound}});
  settle(id, at);
}

void listeners::fail(member const& asker, listen_request const& what, error_code ec) {
  wire::listen_failed const reply{static_cast<std::uint64_t>(asker.acceptor), to_wire(ec)};
  actions_.push(action::send{asker.id, reply});
  actions_.push(action::emit{worker_listen_failed{asker.id, what.where, what.from, ec}});
}

bool listeners::unlisten(worker_id id, acceptor_id acceptor) {
  std::erase_if(loners_, [&](loner const& each) { return each.who == member{id, acceptor, 0}; });
  for (auto& [at, each] : table_)
    for (auto const& other : each.members)
      if (other.id == id && other.acceptor == acceptor) {
        remove(at, each, id, true);
        erase_closed();
        return true;
      }
  return true;  // it crossed our closing of the port, or our refusal
}

bool listeners::took(worker_id id, connection_id connection) {
  for (auto& [_, each] : table_)
    if (each.connections.took(id, connection)) {
      ++counters_.handed_over;
      actions_.push(action::forget{connection});
      if (!each.open) erase_closed();
      return true;
    }
  return false;
}

bool listeners::refused(worker_id id, connection_id connection) {
  for (auto& [at, each] : table_)
    if (each.connections.refused(id, connection)) {
      ++counters_.returned;
      settle(at, each);
      erase_closed();
      return true;
    }
  return false;
}

bool listeners::credit(worker_id id, wire::credit const& what) {
  for (auto& [at, each] : table_) {
    if (!each.connections.accepts(id)) continue;
    if (!each.connections.grant(id, acceptor_id{what.acceptor}, what.count, what.open))
      return false;
    settle(at, each);
  }
  return true;
}

void listeners::recalled(worker_id id) {
  for (auto& [at, each] : table_) {
    auto const count = each.connections.recalled(id);
    counters_.returned += count;
    if (count > 0) settle(at, each);
  }
  erase_closed();
}

void listeners::recall_silent() {
  recall_at_ = never;
  for (auto& [_, each] : table_) {
    for (auto const id : each.connections.silent()) actions_.push(action::recall{id});
    if (each.connections.may_recall()) recall_at_ = next_look();
  }
}

void listeners::on_connection(listener_id id, arrival const& what, time_point now) {
  auto& at = table_.at(id);
  ++counters_.arrived;
  if (settings_.proxy_headers) {
    at.unknown.add(what, now);
    actions_.push(action::look{id, what.connection});
  } else {
    at.connections.arrived(what);
  }
  settle(id, at);
}

bool listeners::on_proxy_header(listener_id id, connection_id connection, proxy_header const& seen,
                                time_point now) {
  auto const at = table_.find(id);
  if (at == table_.end()) return false;
  arrival what;
  switch (at->second.unknown.on_header(connection, seen, now, what)) {
    case newcomers::state::unknown: return false;  // it was closed with its port
    case newcomers::state::waits: return true;
    case newcomers::state::known: at->second.connections.arrived(what); break;
    case newcomers::state::refused: drop({connection}, counters_.headless); break;
  }
  settle(id, at->second);
  return false;
}

void listeners::on_accept_failed(listener_id id, time_point now) {
  now_ = now;
  auto& at = table_.at(id);
  at.paused_until = now + accept_pause;
  settle(id, at);
}

void listeners::drain(worker_id id, bool slot_stays) {
  std::erase_if(loners_, [id](loner const& each) { return each.who.id == id; });
  for (auto& [at, each] : table_) remove(at, each, id, each.slot && !slot_stays);
  erase_closed();
}

void listeners::keep_slots(std::function<bool(std::size_t)> const& stays) {
  for (auto& [id, each] : table_)
    if (each.open && each.slot && each.members.empty() && !stays(*each.slot)) close(id, each);
  erase_closed();
}

void listeners::link_closed(worker_id id, bool readable) {
  std::erase_if(loners_, [id](loner const& each) { return each.who.id == id; });
  for (auto& [at, each] : table_) {
    if (readable)
      counters_.returned += each.connections.lost(id);
    else
      drop(each.connections.abandoned(id), counters_.abandoned);
    remove(at, each, id, false);
    settle(at, each);
  }
  erase_closed();
}

void listeners::remove(listener_id id, listener& at, worker_id leaves, bool for_good) {
  auto const removed =
      std::erase_if(at.members, [leaves](member const& each) { return each.id == leaves; });
  if (removed == 0) return;
  at.connections.leave(leaves);
  if (at.open && at.members.empty() && (for_good || !settings_.keep_open)) close(id, at);
}

void listeners::settle(listener_id id, listener& at) {
  if (!at.open) {
    drop_pending(at);
    return;
  }
  while (auto const next = at.connections.next())
    actions_.push(action::offer{next->to, next->acceptor, next->connection, next->more_wait});
  bool const recalls =
      settings_.recall_after > duration::zero() && !goes_by_client(settings_.policy);
  if (recalls && recall_at_ == never && at.connections.may_recall()) recall_at_ = next_look();
  bool const wanted =
      !is_shared(at) && at.pending() < settings_.max_pending && now_ >= at.paused_until;
  if (wanted == at.accepting) return;
  at.accepting = wanted;
  if (wanted)
    actions_.push(action::start_accepting{id});
  else
    actions_.push(action::stop_accepting{id});
}

void listeners::close(listener_id id, listener& at) {
  at.open = false;
  at.closed = true;
  actions_.push(action::close_listener{id});
  drop_pending(at);
}

void listeners::close_all() {
  for (auto& [id, each] : table_)
    if (each.open) close(id, each);
  erase_closed();
}

// A closed listener stays known while workers still have to answer its offers.
void listeners::erase_closed() {
  std::erase_if(table_, [](auto const& each) {
    return each.second.closed && each.second.connections.offered() == 0;
  });
}

void listeners::drop(std::vector<connection_id> const& connections, std::uint64_t& count) {
  for (auto const each : connections) actions_.push(action::forget{each});
  count += connections.size();
}

void listeners::drop_pending(listener& at) {
  drop(at.unknown.take_all(), counters_.closed);
  drop(at.connections.take_pending(), counters_.closed);
}

void listeners::on_time(time_point now) {
  now_ = now;
  if (now >= recall_at_) recall_silent();
}

void listeners::on_deadline() {
  for (auto& [id, each] : table_) {
    for (auto const connection : each.unknown.due(now_))
      actions_.push(action::look{id, connection});
    if (each.open && !each.accepting) settle(id, each);
  }
}

time_point listeners::next_deadline() const {
  auto earliest = never;
  for (auto const& [_, each] : table_) {
    if (each.open && each.paused_until > now_) earliest = std::min(earliest, each.paused_until);
    earliest = std::min(earliest, each.unknown.next_deadline());
  }
  return earliest;
}

std::size_t listeners::listening(worker_id id) const {
  return endpoints(id).size();
}

std::vector<endpoint> listeners::endpoints(worker_id id) const {
  std::vector<endpoint> all;
  for (auto const& [_, each] : table_)
    for (auto const& other : each.members)
      if (other.id == id && each.open) all.push_back(each.bound);
  for (auto const& each : loners_)
    if (each.who.id == id) all.push_back(each.bound);
  return all;
}

std::size_t listeners::pending() const {
  std::size_t sum = 0;
  for (auto const& [_, each] : table_) sum += each.pending();
  return sum;
}

std::size_t listeners::offered() const {
  std::size_t sum = 0;
  for (auto const& [_, each] : table_) sum += each.connections.offered();
  return sum;
}

}  // namespace prong::core

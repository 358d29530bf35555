// What must hold, seen from outside.
// SPDX-License-Identifier: BSL-1.0
#include "sim/model.hpp"

#include <prong/error.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <utility>

namespace prong::sim {
namespace {

using wire::frame_kind;

constexpr std::size_t message_window = 256;
// More than the acceptors of any simulated program can ask for at once.
constexpr std::ptrdiff_t most_offers = 16;

// Of the window; no simulated message has 16 KiB.
constexpr std::size_t cost_of_small(bool with_socket) {
  return with_socket ? 4 : 1;
}

void fail(std::string_view invariant, std::string what) {
  system::current().fail(invariant, std::move(what));
}

std::uint32_t number_of(process_id process) {
  auto const* const found = system::current().find(process);
  return found ? found->worker : 0;
}

}  // namespace

bool model::is_evil(process_id worker) const {
  return evil_.count(number_of(worker)) > 0;
}

// --- Connections --------------------------------------------------------------------------------

void model::on_accepted(object_id what) {
  connections_[what].accepted = true;
  ++accepted_;
}

void model::on_sent(process_id worker, int side, wire::frame_view const& frame,
                    object_id attached) {
  auto const kind = frame.kind();
  if (kind == frame_kind::offer) {
    on_offer(worker, frame.header.id, attached);
  } else if (kind == frame_kind::took) {
    if (auto const at = wire_ids_.find(frame.header.id); at != wire_ids_.end())
      connections_[at->second].took = worker;
  } else if (kind == frame_kind::message) {
    auto& box = messages(number_of(worker), side);
    box.sent += cost_of_small(frame.has_socket());
    if (box.sent > box.taken + message_window && !is_evil(worker))
      fail("I7", fmt::format("messages to or from worker {} that cost {} wait to be taken",
                             number_of(worker), box.sent - box.taken));
  }
}

void model::on_offer(process_id worker, std::uint64_t id, object_id what) {
  if (what == no_object || !connections_[what].accepted) {
    fail("I6", fmt::format("an offer of {:#x} carries no connection", id));
    return;
  }
  auto& at = connections_[what];
  if (at.offered_to != 0)
    fail(at.offered_to == worker ? "I1" : "I3",
         fmt::format("connection {} is offered to worker {} while worker {} may still take it",
                     what, number_of(worker), number_of(at.offered_to)));
  if (at.took != 0 && !is_evil(at.took))
    fail("I2", fmt::format("connection {} is offered to worker {} after worker {} took it", what,
                           number_of(worker), number_of(at.took)));
  at.offered_to = worker;
  wire_ids_[id] = what;
  auto const open = std::count_if(connections_.begin(), connections_.end(), [&](auto const& each) {
    return each.second.offered_to == worker;
  });
  if (open > most_offers && !is_evil(worker))
    fail("I7", fmt::format("worker {} has {} offers at once", number_of(worker), open));
}

void model::on_read(process_id worker, int side, wire::frame_view const& frame) {
  auto const kind = frame.kind();
  if (side != 0 || (kind != frame_kind::took && kind != frame_kind::refused)) return;
  auto const found = wire_ids_.find(frame.header.id);
  if (found == wire_ids_.end()) return;
  auto& at = connections_[found->second];
  auto const answer = wire::decode(frame);
  auto const* const refused = answer ? std::get_if<wire::refused>(&*answer) : nullptr;
  if (at.offered_to != worker || (refused && refused->epoch != epochs_[worker])) return;
  at.offered_to = 0;
  if (kind == frame_kind::took) at.took = worker;
}

void model::on_recalled(process_id worker) {
  ++epochs_[worker];
  on_link_end(worker);  // what it has not taken is free again
}

void model::on_link_end(process_id worker) {
  for (auto& [_, each] : connections_)
    if (each.offered_to == worker) each.offered_to = 0;
}

void model::handler_got(process_id worker, object_id what) {
  auto& at = connections_[what];
  ++handlers_;
  if (++at.handlers > 1)
    fail("I2", fmt::format("connection {} is delivered twice, now in worker {}", what,
                           number_of(worker)));
  if (!shared_ && at.took != worker)
    fail("I2", fmt::format("worker {} hands connection {} over, and its took is not out",
                           number_of(worker), what));
}

std::vector<std::uint64_t> model::offered_ids(process_id worker) const {
  std::vector<std::uint64_t> ids;
  for (auto const& [id, what] : wire_ids_)
    if (connections_.at(what).offered_to == worker) ids.push_back(id);
  return ids;
}

// --- Messages -----------------------------------------------------------------------------------

message model::write_message(std::uint32_t worker, int side) {
  auto& box = messages(worker, side);
  auto& os = system::current();
  message written(std::to_string(++box.last_number),
                  std::string(os.chooses.pick(4) == 0 ? 900 : 3, 'm'));
  if (os.chooses.pick(3) == 0) {
    written.socket = os.add_socket();
    box.sockets[box.last_number] = os.object_of(written.socket.get());
  }
  return written;
}

void model::message_sent(std::uint32_t worker, int side, std::uint64_t number) {
  auto& box = messages(worker, side);
  box.succeeded.insert(number);
  if (box.missing.count(number) > 0)
    fail("messages", fmt::format("message {} to or from worker {} was lost", number, worker));
}

void model::message_received(std::uint32_t worker, int side, message const& what) {
  auto& box = messages(worker, side);
  auto const number = std::stoull(what.topic);
  box.taken += cost_of_small(what.socket || what.socket_lost);
  auto const sent = box.sockets.find(number);
  auto const got = what.socket ? system::current().object_of(what.socket.get()) : no_object;
  auto const expected = sent == box.sockets.end() || what.socket_lost ? no_object : sent->second;
  if (got != expected || (what.socket_lost && sent == box.sockets.end()))
    fail("C3", fmt::format("message {} to or from worker {} has socket {} instead of {}", number,
                           worker, got, expected));
  if (number <= box.last_received || number > box.last_number)
    fail("messages", fmt::format("message {} to or from worker {} after {}", number, worker,
                                 box.last_received));
  for (auto skipped = box.last_received + 1; skipped < number; ++skipped) {
    box.missing.insert(skipped);
    if (box.succeeded.count(skipped) > 0)
      fail("messages", fmt::format("message {} to or from worker {} was lost", skipped, worker));
  }
  box.last_received = number;
}

// --- Events -------------------------------------------------------------------------------------

model::life& model::life_of(worker_id id, bool first) {
  auto& at = lives_[id];
  auto const number = static_cast<std::uint32_t>(id);
  if (at.exited) fail("I5", fmt::format("an event of worker {} after it has exited", number));
  if (first && at.forked) fail("I5", fmt::format("worker {} is forked twice", number));
  if (!first && !at.forked && !events_lost_)
    fail("I5", fmt::format("an event of worker {} before it was forked", number));
  return at;
}

void model::on_event(event const& what) {
  if (std::holds_alternative<events_lost>(what))
    events_lost_ = true;
  else if (auto* const forked = std::get_if<worker_forked>(&what))
    life_of(forked->id, true).forked = true;
  else if (auto* const online = std::get_if<worker_online>(&what))
    life_of(online->id, false).online = true;
  else if (auto* const listening = std::get_if<worker_listening>(&what))
    life_of(listening->id, false);
  else if (auto* const failed = std::get_if<worker_listen_failed>(&what)) {
    life_of(failed->id, false);
    reported_.push_back(failed->error);
  } else if (auto* const text = std::get_if<worker_message>(&what))
    life_of(text->id, false);
  else if (auto* const ended = std::get_if<worker_disconnected>(&what)) {
    auto& at = life_of(ended->id, false);
    if (at.disconnected) fail("I5", "a worker is disconnected twice");
    at.disconnected = true;
  } else if (auto* const exited = std::get_if<worker_exited>(&what)) {
    life_of(exited->id, false).exited = true;
    reported_.push_back(exited->error);
    auto const number = static_cast<std::uint32_t>(exited->id);
    if (exited->error == errc::protocol_error && evil_.count(number) == 0)
      fail("protocol", fmt::format("worker {} kept the protocol, and was ended for it", number));
  }
}

void model::check_all_exited() {
  if (events_lost_) return;
  for (auto const& [id, each] : lives_)
    if (!each.exited)
      fail("I5", fmt::format("worker {} never exited", static_cast<std::uint32_t>(id)));
}

// --- The primary --------------------------------------------------------------------------------

void model::check(detail::primary_impl const& primary) {
  auto const& ports = primary.decisions().ports();
  auto const& counts = ports.counted();
  auto const pending = ports.pending();
  auto const offered = ports.offered();
  auto const past = counts.handed_over + counts.closed + counts.abandoned + counts.headless;
  if (counts.arrived != pending + offered + past)
    fail("I4", fmt::format("{} arrived, {} pending, {} offered, {} handed over, {} closed, "
                           "{} abandoned, {} headless",
                           counts.arrived, pending, offered, counts.handed_over, counts.closed,
                           counts.abandoned, counts.headless));
  if (primary.connections() != pending + offered)
    fail("I4", fmt::format("{} sockets for {} pending and {} offered", primary.connections(),
                           pending, offered));
  // What comes back from workers is pending again, beyond the bound too.
  if (pending == 0) returned_before_ = counts.returned;
  auto const returned = counts.returned - returned_before_;
  std::size_t open_ports = 0;
  for (auto const& [_, each] : system::current().objects) open_ports += each.listens ? 1 : 0;
  if (pending > max_pending_ * open_ports + returned)
    fail("I7", fmt::format("{} pending, {} allowed, {} returned", pending, max_pending_, returned));
  auto const all = primary.decisions().workers();
  auto const live = std::count_if(all.begin(), all.end(), [](worker_info const& each) {
    return each.state == worker_state::starting || each.state == worker_state::online;
  });
  if (static_cast<std::size_t>(live) > most_live_)
    fail("I7", fmt::format("{} workers live, {} are allowed", live, most_live_));
}

void model::check_quiet(detail::primary_impl const& primary) {
  auto const& counts = primary.decisions().ports().counted();
  std::uint64_t lost = 0;
  for (auto const& [id, each] : connections_) {
    if (shared_ || !each.accepted || each.handlers > 0 || each.took != 0) continue;
    if (system::current().objects.at(id).references == 0) ++lost;
  }
  if (lost > counts.closed + counts.abandoned + counts.headless)
    fail("I4", fmt::format("{} connections were lost; {} were closed with their port, {} "
                           "abandoned and {} headless",
                           lost, counts.closed, counts.abandoned, counts.headless));
}

}  // namespace prong::sim

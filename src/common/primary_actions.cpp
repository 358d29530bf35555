// The primary's shell: how it does what the core decides.
// SPDX-License-Identifier: BSL-1.0
#include "common/fork_options.hpp"
#include "common/primary_impl.hpp"

#include <prong/error.hpp>

#include <fmt/format.h>
#include <array>
#include <boost/asio/error.hpp>
#include <span>
#include <utility>

namespace prong::detail {

namespace action = core::action;

// The later of two values for one variable wins, so the worker's identity comes last.
os::program primary_impl::program_for(worker_id id, fork_options const& own) const {
  auto what = program_from(base_, merge(settings_.worker, own));
  what.environment.emplace_back(os::worker_id_variable,
                                std::to_string(static_cast<std::uint32_t>(id)));
  return what;
}

void primary_impl::perform(action::spawn const& what) {
  fork_options own;
  if (auto const asked = forks_.extract(what.id)) own = asked.mapped();
  if (what.like)
    if (auto const old = workers_.find(*what.like); old != workers_.end())
      own = old->second.settings;
  auto const program = program_for(what.id, own);
  workers_.try_emplace(what.id, executor_, std::move(own));

  error_code ec;
  auto const started = os::spawn(executor_, program, ec);
  if (ec) {
    log(log_level::error,
        fmt::format("worker {} cannot be started: {}: {}", static_cast<std::uint32_t>(what.id),
                    describe(program), ec.message()));
    core_.on_spawned(what.id, 0, ec);
    return;
  }
  auto const process = started->child.id();
  watch(what.id, *started);
  core_.on_spawned(what.id, process, {});
}

void primary_impl::perform(action::send const& what) {
  auto& entry = workers_.at(what.to);
  if (!entry.channel) return;
  if (std::holds_alternative<wire::stop>(what.what)) entry.channel->end_messages(errc::worker_gone);
  entry.channel->send(what.what);
  unflushed_.push_back(entry.channel);
}

void primary_impl::perform(action::offer const& what) {
  auto& entry = workers_.at(what.to);
  entry.channel->send(wire::offer{connections_.name_for_offer(what.connection),
                                  static_cast<std::uint64_t>(what.acceptor), entry.channel->epoch(),
                                  what.more_wait},
                      connections_.get(what.connection));
  unflushed_.push_back(entry.channel);
}

void primary_impl::perform(action::recall const& what) {
  // An offer that the core has decided on meanwhile is to be on its way, or not to be made at all.
  carry_out();
  auto const at = workers_.find(what.from);
  if (at == workers_.end()) return;
  auto const channel = at->second.channel;  // what it hears now may end the worker
  if (channel && channel->recall()) core_.on_recalled(what.from);
}

void primary_impl::perform(action::share const& what) {
  auto& entry = workers_.at(what.to);
  error_code ec;
  auto handle = std::visit([&](auto const& socket) { return socket.duplicate(ec); },
                           listeners_.at(what.listener).socket);
  if (ec) {
    // Without the socket it can do nothing. Its successor may find a descriptor free.
    log(log_level::error, fmt::format("worker {} cannot be given a listening socket: {}",
                                      static_cast<std::uint32_t>(what.to), ec.message()));
    core_.kill(what.to);
    return;
  }
  entry.channel->send(what.what, std::move(handle));
  unflushed_.push_back(entry.channel);
}

// The worker reads the header again, and all that comes after it.
void primary_impl::perform(action::look const& what) {
  std::array<std::byte, core::longest_proxy_header> bytes;
  error_code ec;
  auto const size = os::peek(connections_.get(what.connection), bytes, ec);
  core::proxy_header seen;
  if (!ec)
    seen = core::read_proxy_header(std::span(bytes).first(size));
  else if (ec != asio::error::would_block)
    seen.is = core::proxy_header::state::invalid;
  if (!ec && seen.is == core::proxy_header::state::invalid)
    log(log_level::warning, "a connection is closed: it does not begin with a PROXY header");
  core_.on_proxy_header(what.listener, what.connection, seen);
}

void primary_impl::perform(action::forget const& what) {
  connections_.erase(what.connection);
}

void primary_impl::perform(action::open_listener const& what) {
  error_code ec;
  endpoint bound;
  auto const open = [&](auto socket) {
    if (ec) return;
    bound = socket.local_endpoint();
    listeners_.emplace(what.id, listener_entry{std::move(socket)});
  };
  if (what.what.where.transport == transport::udp)
    open(os::datagrams(executor_, what.what, ec));
  else
    open(os::listener(executor_, what.what, ec));
  core_.on_listener_opened(what.id, ec, bound);
}

void primary_impl::perform(action::close_listener const& what) {
  listeners_.erase(what.id);
}

void primary_impl::perform(action::start_accepting const& what) {
  listeners_.at(what.id).accepting = true;
  wait_for_connections(what.id);
}

void primary_impl::perform(action::stop_accepting const& what) {
  listeners_.at(what.id).accepting = false;
}

void primary_impl::perform(action::expect_link_end const& what) {
  if (auto* const channel = link_of(what.id)) channel->peer_exited();
}

void primary_impl::perform(action::cut_link const& what) {
  if (auto* const channel = link_of(what.id)) channel->cut();
  core_.on_link_closed(what.id);
}

void primary_impl::perform(action::kill const& what) {
  auto const at = workers_.find(what.id);
  if (at == workers_.end() || !at->second.process) return;
  error_code ec;
  at->second.process->kill(ec);
  if (ec)
    log(log_level::error, fmt::format("worker {} cannot be killed: {}",
                                      static_cast<std::uint32_t>(what.id), ec.message()));
}

void primary_impl::perform(action::emit& what) {
  report(std::move(what.what));
}

void primary_impl::perform(action::retire const& what) {
  auto const gone = workers_.extract(what.id);
  if (gone.mapped().channel) gone.mapped().channel->cut();
  gone.mapped().disconnects.complete_all({});
}

void primary_impl::perform(action::reload_finished const& what) {
  while (!reloads_.empty() && reloads_.begin()->first <= what.number) {
    reloads_.begin()->second.complete_all(what.result);
    reloads_.erase(reloads_.begin());
  }
}

void primary_impl::perform(action::finished const&) {
  finished_ = true;
  run_.complete_all(run_cancelled_ ? error_code(asio::error::operation_aborted) : error_code());
  shutdowns_.complete_all({});
  deliver_soon();
}

}  // namespace prong::detail

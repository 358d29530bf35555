// The primary's shell: what the user asks for, and what happens to workers and ports.
// SPDX-License-Identifier: BSL-1.0
#include "common/primary_impl.hpp"

#include "common/fork_options.hpp"

#include <prong/error.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

namespace prong::detail {
namespace {

// How many connections are accepted before other work has its turn.
constexpr int accepts_in_a_row = 64;

std::shared_ptr<os::turns_memory> turns_for(scheduling policy) {
  if (!core::workers_accept(policy)) return {};
  error_code ec;
  auto made = std::make_shared<os::turns_memory>(ec);
  if (ec)
    throw boost::system::system_error(ec, "prong::primary: the memory in which workers take turns");
  return made;
}

}  // namespace

primary_impl::primary_impl(asio::any_io_executor executor, options settings, os::program base,
                           scheduling policy, std::uint_fast32_t seed)
    : executor_(executor),
      settings_(std::move(settings)),
      base_(std::move(base)),
      core_(settings_, policy, seed),
      asks_clients_(core::goes_by_client(policy)),
      connections_(seed),
      timer_(executor),
      events_(settings_.max_queued_events),
      event_waiters_(executor),
      run_(executor),
      shutdowns_(executor) {
  base_.turns = turns_for(policy);
}

primary_impl::~primary_impl() {
  close();
}

void primary_impl::close() {
  if (std::exchange(closed_, true)) return;
  // First all are killed, and then each is waited for.
  for (auto& [_, each] : workers_) {
    error_code ignored;
    if (each.process) each.process->kill(ignored);
    for (auto const& stream : each.outputs)
      if (stream) stream->cut();
    if (!each.channel) continue;
    each.channel->end_messages(asio::error::operation_aborted);
    each.channel->cut();
  }
  workers_.clear();
  listeners_.clear();
  connections_.clear();
  timer_.cancel();
  for (auto* const each : {&run_, &shutdowns_}) each->complete_all(asio::error::operation_aborted);
  disconnects_.clear();
  reloads_.clear();
  event_waiters_.complete_all(asio::error::operation_aborted);
  while (!events_.empty()) events_.pop();  // with the sockets of messages
}

template <class Happening>
void primary_impl::turn(Happening&& tell_core) {
  if (closed_) return;
  core_.on_time(os::clock::now());
  tell_core();
  carry_out();
  flush_links();
  while (!disconnects_.empty() &&
         (workers_.empty() || workers_.begin()->first > disconnects_.begin()->first)) {
    disconnects_.begin()->second.complete_all({});
    disconnects_.erase(disconnects_.begin());
  }
  arm_timer();
}

void primary_impl::flush_links() {
  flushed_.swap(unflushed_);
  for (auto const& each : flushed_) each->flush();
  flushed_.clear();
}

void primary_impl::carry_out() {
  while (auto next = core_.next_action()) std::visit([this](auto& what) { perform(what); }, *next);
}

void primary_impl::arm_timer() {
  auto const deadline = core_.next_deadline();
  if (deadline == armed_) return;
  armed_ = deadline;
  if (deadline == core::never) {
    timer_.cancel();
    return;
  }
  auto on_time = [weak = weak_from_this()](error_code ec) {
    auto const self = weak.lock();
    if (!self || ec) return;
    self->armed_ = core::never;
    self->turn([] {});
  };
  timer_.async_wait_until(deadline, handler<void(error_code)>(std::move(on_time)));
}

// --- What the user wants ------------------------------------------------------------------------

void primary_impl::setup(fork_options changes, error_code& ec) {
  ec.clear();
  if (core_.shutting_down()) {
    ec = errc::shutting_down;
    return;
  }
  settings_.worker = merge(std::move(settings_.worker), std::move(changes));
  report(primary_setup{});
}

worker_id primary_impl::fork(fork_options settings, error_code& ec) {
  ec.clear();
  if (core_.shutting_down()) ec = errc::shutting_down;
  worker_id id{};
  if (!ec) {
    turn([&] {
      id = core_.fork();
      forks_.emplace(id, std::move(settings));
    });
  }
  return id;
}

void primary_impl::kill(worker_id id, error_code& ec) {
  ec.clear();
  if (!core_.knows(id))
    ec = errc::no_such_worker;
  else
    turn([&] { core_.kill(id); });
}

void primary_impl::resize(std::size_t workers) {
  turn([&] { core_.resize(workers); });
}

void primary_impl::run(handler<void(error_code)> completion) {
  if (std::exchange(was_run_, true) || core_.shutting_down()) {
    post_completion(
        executor_, std::move(completion),
        make_error_code(core_.shutting_down() ? errc::shutting_down : errc::already_running));
    return;
  }
  run_.add(std::move(completion), [weak = weak_from_this()](asio::cancellation_type how) {
    auto const self = weak.lock();
    if (!self) return true;
    self->run_cancelled_ = true;
    self->turn([&] {
      if ((how & asio::cancellation_type::terminal) != asio::cancellation_type::none)
        self->core_.kill_all();
      self->core_.shutdown();
    });
    return false;  // it completes when all are gone
  });
  turn([this] { core_.run(); });
}

void primary_impl::next_event(handler<void(error_code, event)> completion) {
  if (finished_ && events_.empty()) {
    post_completion(executor_, std::move(completion), error_code(asio::error::operation_aborted),
                    event{});
    return;
  }
  event_waiters_.add(std::move(completion));
  deliver_soon();
}

void primary_impl::send(worker_id to, message what, handler<void(error_code)> completion) {
  if (auto* const channel = link_of(to); channel && core_.serves(to)) {
    channel->async_send(std::move(what), std::move(completion));
    return;
  }
  auto const why = core_.knows(to) ? errc::worker_gone : errc::no_such_worker;
  post_completion(executor_, std::move(completion), make_error_code(why));
}

void primary_impl::disconnect(worker_id id, handler<void(error_code)> completion) {
  auto const at = workers_.find(id);
  if (at == workers_.end()) {
    post_completion(executor_, std::move(completion), make_error_code(errc::no_such_worker));
    return;
  }
  at->second.disconnects.add(std::move(completion));
  turn([&] { core_.stop(id); });
}

void primary_impl::disconnect_all(handler<void(error_code)> completion) {
  auto const last = workers_.empty() ? worker_id{} : workers_.rbegin()->first;
  disconnects_.try_emplace(last, executor_).first->second.add(std::move(completion));
  turn([this] { core_.stop_all(); });
}

void primary_impl::reload(handler<void(error_code)> completion) {
  turn([&] {
    auto const number = core_.reload();
    reloads_.try_emplace(number, executor_).first->second.add(std::move(completion));
  });
}

void primary_impl::shutdown(handler<void(error_code)> completion) {
  if (finished_) {
    post_completion(executor_, std::move(completion), error_code());
    return;
  }
  shutdowns_.add(std::move(completion), [weak = weak_from_this()](asio::cancellation_type how) {
    auto const self = weak.lock();
    if (!self || (how & asio::cancellation_type::terminal) == asio::cancellation_type::none)
      return true;
    self->turn([&] { self->core_.kill_all(); });
    return false;  // it completes when all are gone
  });
  turn([this] { core_.shutdown(); });
}

// --- What happens -------------------------------------------------------------------------------

void primary_impl::on_frame(worker_id id, wire::control const& what, os::socket) {
  auto const* const took = std::get_if<wire::took>(&what);
  auto const* const refused = std::get_if<wire::refused>(&what);
  if (refused && refused->epoch != workers_.at(id).channel->epoch()) return;  // it was recalled
  core_.on_time(os::clock::now());
  if (took)
    core_.on_took(id, connections_.named(took->connection));
  else if (refused)
    core_.on_refused(id, connections_.named(refused->connection));
  else
    core_.on_control(id, what);
  carry_out();  // frames go out after the whole batch: see `watch`
}

void primary_impl::on_message(worker_id id, message&& what) {
  events_.push(worker_message{id, std::move(what)});  // is delivered after the whole batch
}

void primary_impl::on_link_end(worker_id id, error_code why) {
  turn([&] {
    if (why == asio::error::eof) {
      core_.on_link_closed(id);
      return;
    }
    log(log_level::error, fmt::format("the channel to worker {} failed: {}",
                                      static_cast<std::uint32_t>(id), why.message()));
    core_.on_link_failed(id, why);
  });
}

void primary_impl::on_exit(worker_id id, os::exit_status how) {
  auto& entry = workers_.at(id);
  entry.exit = how;
  for (auto const& stream : entry.outputs)
    if (stream) stream->writer_exited();
  on_output_end(id);
}

// For the core a worker has exited when all that it wrote has been read.
void primary_impl::on_output_end(worker_id id) {
  auto const& entry = workers_.at(id);
  bool const reads = std::ranges::any_of(
      entry.outputs, [](auto const& each) { return each && !each->has_ended(); });
  if (entry.exit && !reads)
    turn([&] { core_.on_exited(id, entry.exit->code, entry.exit->signal); });
}

void primary_impl::wait_for_connections(core::listener_id id) {
  auto& at = listeners_.at(id);
  if (!at.accepting || std::exchange(at.waiting, true)) return;
  at.stream().async_wait(handler<void(error_code)>([self = shared_from_this(), id](error_code ec) {
    auto const found = self->listeners_.find(id);
    if (self->closed_ || found == self->listeners_.end()) return;
    found->second.waiting = false;
    if (ec == asio::error::operation_aborted) return;
    self->turn([&] { ec ? self->accept_failed(id, ec) : self->accept_some(id); });
  }));
}

void primary_impl::accept_failed(core::listener_id id, error_code why) {
  log(log_level::warning, fmt::format("accepting pauses: {}", why.message()));
  core_.on_accept_failed(id);
}

void primary_impl::accept_some(core::listener_id id) {
  for (int count = 0; count < accepts_in_a_row; ++count) {
    // What the core decides about one connection may end the accepting, or the listener.
    auto const at = listeners_.find(id);
    if (at == listeners_.end() || !at->second.accepting) return;
    error_code ec;
    core::arrival what;
    auto connection = at->second.stream().accept(ec, asks_clients_ ? &what.from : nullptr);
    if (ec == asio::error::would_block) break;
    if (ec) {
      accept_failed(id, ec);
    } else {
      what.connection = connections_.add(std::move(connection));
      core_.on_connection(id, what);
    }
    carry_out();
  }
  if (listeners_.count(id) > 0) wait_for_connections(id);
}

link* primary_impl::link_of(worker_id id) {
  auto const at = workers_.find(id);
  return at == workers_.end() ? nullptr : at->second.channel.get();
}

void primary_impl::log(log_level level, std::string_view text) const {
  if (settings_.log) settings_.log(level, text);
}

// Links call back into this file only while they are open, and `close` cuts them all.
void primary_impl::watch(worker_id id, os::spawned& started) {
  auto& entry = workers_.at(id);
  entry.process.emplace(std::move(started.child));
  entry.channel = std::make_shared<link>(executor_, std::move(started.link),
                                         make_error_code(errc::worker_gone));
  entry.channel->start({
      [this, id](wire::control const& what, os::socket attached) {
        on_frame(id, what, std::move(attached));
      },
      [this, id](message&& what) { on_message(id, std::move(what)); },
      [this] {
        turn([] {});
        deliver_events();
      },
      [this, id](error_code why) { on_link_end(id, why); },
  });
  read_output(id, output_stream::output, started.output);
  read_output(id, output_stream::error, started.error_output);
  entry.process->async_wait(handler<void(error_code, os::exit_status)>(
      [self = shared_from_this(), id](error_code ec, os::exit_status how) {
        // Any other error: it has ended, and nobody can say how.
        if (!self->closed_ && ec != asio::error::operation_aborted) self->on_exit(id, how);
      }));
}

void primary_impl::read_output(worker_id id, output_stream from,
                               std::optional<os::output>& stream) {
  if (!stream) return;
  auto& reader = workers_.at(id).outputs[static_cast<std::size_t>(from)];
  reader = std::make_shared<output_reader>(std::move(*stream));
  reader->start({
      [this, id, from](std::string line) {
        report(worker_output{id, from, std::move(line)});
      },
      [this, id] { on_output_end(id); },
  });
}

}  // namespace prong::detail

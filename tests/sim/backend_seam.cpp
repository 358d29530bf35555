// The seam on the simulated operating system: sockets, listeners, processes and the clock.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/clock.hpp"
#include "common/os/listener.hpp"
#include "common/os/process.hpp"
#include "sim/backend.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <charconv>
#include <span>

namespace prong::detail {

void close_native_socket(native_socket socket) noexcept {
  sim::system::current().close(socket);
}

// Workers are not told who clients are.
std::size_t remote_address(native_socket, void*, std::size_t) noexcept {
  return 0;
}

}  // namespace prong::detail

namespace prong::sim {

// --- Listeners ----------------------------------------------------------------------------------

bool accept_wait::is_worth_a_call() const {
  return taken != no_object || !system::current().objects.at(on).backlog.empty();
}

void accept_wait::take_ahead() {
  auto& backlog = system::current().objects.at(on).backlog;
  if (!system::current().takes_ahead || taken != no_object || backlog.empty()) return;
  taken = backlog.front();
  backlog.pop_front();
  system::current().note("takes ahead: connection", taken);
}

asio::ip::tcp::endpoint client_of(object_id connection) {
  return {asio::ip::address_v4(0x0a000000u + connection % 7), 1'024};
}

}  // namespace prong::sim

namespace prong::os {

using sim::system;

class listener::impl {
 public:
  impl(asio::any_io_executor io, socket from) : executor(std::move(io)), handle(std::move(from)) {
    wait.on = system::current().object_of(handle.get());
    wait.owner = &system::current().running();
    system::current().listeners.push_back(&wait);
  }
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() {
    std::erase(system::current().listeners, &wait);
    if (wait.taken == sim::no_object) return;
    if (wait.owner->worker != 0 && wait.owner->alive)
      system::current().fail("C12", "a worker drops a connection that it has taken ahead");
    system::current().drop(wait.taken);
  }

  sim::object& what() const { return system::current().objects.at(wait.on); }

  asio::any_io_executor executor;
  socket handle;
  sim::accept_wait wait;
  bool cancelled = false;
};

bool listeners_divide() noexcept {
  return true;
}

listener::listener(asio::any_io_executor executor, listen_request const& request, error_code& ec) {
  auto& at = system::current();
  auto port = request.where.port;
  if (port == 0) port = at.next_port++;
  bool const divides = request.how.reuse_port;
  auto const others = at.listening_on(port);
  bool const all_divide = std::ranges::all_of(
      others, [&](sim::object_id each) { return divides && at.objects.at(each).divides; });
  if (at.foreign_ports[port] || !all_divide)
    ec = asio::error::address_in_use;
  else if (at.call_fails("listening fails", 0))
    ec = asio::error::no_descriptors;
  else
    impl_ = std::make_unique<impl>(std::move(executor), at.open(at.add_listening(port)));
  if (impl_) impl_->what().divides = divides;
  at.note(ec ? "cannot listen: port" : "listens: port", port);
}

listener::listener(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  impl_ = std::make_unique<impl>(std::move(executor), std::move(adopted));
}

listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&&) noexcept = default;
listener::~listener() = default;

endpoint listener::local_endpoint() const {
  return asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), impl_->what().port);
}

socket listener::duplicate(error_code& ec) const {
  auto& at = system::current();
  if (at.call_fails("duplicating fails", at.faults.duplicate_fails)) {
    ec = asio::error::no_descriptors;
    return {};
  }
  ec.clear();
  return at.open(impl_->wait.on);
}

void listener::async_wait(detail::handler<void(error_code)> completion) {
  impl_->cancelled = false;
  impl_->wait.waits.start(impl_->executor, std::move(completion));
}

// A piece more has arrived whenever somebody looks.
std::size_t peek(native_socket connection, std::span<std::byte> into, error_code& ec) noexcept {
  auto& at = system::current();
  ec.clear();
  auto& looked_at = at.objects.at(at.object_of(connection));
  if (at.call_fails("peeking fails", at.faults.no_descriptors)) {
    ec = asio::error::connection_reset;
    return 0;
  }
  auto const left = looked_at.written.size() - looked_at.arrived;
  if (left > 0) looked_at.arrived += at.chooses.part(left, at.faults.cut);
  at.note("looks at a connection: bytes", at.object_of(connection), looked_at.arrived);
  auto const size = std::min(looked_at.arrived, into.size());
  if (size == 0) ec = asio::error::would_block;
  auto const seen = std::as_bytes(std::span(looked_at.written)).first(size);
  std::ranges::copy(seen, into.begin());
  return size;
}

socket listener::accept(error_code& ec, asio::ip::tcp::endpoint* from) {
  auto& at = system::current();
  auto& backlog = impl_->what().backlog;
  auto next = std::exchange(impl_->wait.taken, sim::no_object);
  ec.clear();
  if (next == sim::no_object) {
    if (backlog.empty() || impl_->cancelled || at.takes_ahead) {
      ec = asio::error::would_block;
      return {};
    }
    if (at.call_fails("accepting fails", at.faults.no_descriptors)) {
      ec = asio::error::no_descriptors;
      return {};
    }
    next = backlog.front();
    backlog.pop_front();
  }
  if (from) *from = sim::client_of(next);
  auto accepted = at.open(next);
  at.drop(next);  // its place in the backlog
  at.note("accepts: connection", next);
  at.observes.on_accepted(next);
  return accepted;
}

void listener::cancel() noexcept {
  impl_->cancelled = true;
  // What waits may have won the race with this call.
  if (impl_->wait.waits.waits() && system::current().chooses.chance(500)) impl_->wait.take_ahead();
  impl_->wait.waits.abort();
}

// --- Processes ----------------------------------------------------------------------------------

class process::impl {
 public:
  explicit impl(sim::process& process) : what(process) { what.watched = true; }
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() {
    what.watcher.abort();
    what.watched = false;
  }

  sim::process& what;
  asio::any_io_executor executor;
  bool reaped = false;
};

class turns_memory::impl {
 public:
  std::shared_ptr<turn_counts> memory;
};

process::process(std::unique_ptr<impl> from) noexcept : impl_(std::move(from)) {}
process::process(process&&) noexcept = default;
process& process::operator=(process&&) noexcept = default;
process::~process() = default;

process_id process::id() const noexcept {
  return impl_->reaped ? 0 : impl_->what.id;
}

void process::async_wait(detail::handler<void(error_code, exit_status)> completion) {
  impl_->what.watcher.start(impl_->executor, std::move(completion));
}

void process::kill(error_code& ec) noexcept {
  ec.clear();
  auto& at = system::current();
  if (!at.running().alive || !impl_->what.alive) return;
  at.note("kills: process", impl_->what.id);
  impl_->what.killed = true;
}

std::unique_ptr<spawned> spawn(asio::any_io_executor executor, program const& what,
                               error_code& ec) {
  auto& at = system::current();
  if (at.call_fails("starting a process fails", at.faults.spawn_fails)) {
    ec = boost::system::errc::make_error_code(boost::system::errc::no_such_file_or_directory);
    return nullptr;
  }
  ec.clear();
  std::uint32_t worker = 0;
  for (auto const& [name, value] : what.environment)
    if (name == worker_id_variable)
      std::from_chars(value.data(), value.data() + value.size(), worker);
  auto& added = at.add_process(worker);
  added.channel = std::make_shared<sim::line>(added.id);
  if (what.turns) added.turns = what.turns->backend().memory;
  added.start_at = at.now;
  if (at.chooses.chance(at.faults.slow_start))
    added.start_at += std::chrono::milliseconds(1 + at.chooses.pick(15'000));
  at.note("starts: process, worker", added.id, worker);
  auto child = std::make_unique<process::impl>(added);
  child->executor = executor;
  return std::make_unique<spawned>(
      spawned{process(std::move(child)), sim::open_channel(executor, added.channel, 0)});
}

turns_memory::turns_memory(error_code& ec) : impl_(std::make_unique<impl>()) {
  ec.clear();
  impl_->memory = std::make_shared<turn_counts>();
}

turns_memory::~turns_memory() = default;

// As with channels, programs in the world are given theirs.
std::shared_ptr<turn_counts> inherited_turns() {
  return {};
}

program this_program(error_code& ec) {
  ec.clear();
  return {"program", {}, {}};
}

process_id this_process() noexcept {
  return system::current().running().id;
}

bool has_users() noexcept {
  return true;
}

std::size_t available_parallelism() noexcept {
  return 2;
}

// Workers here have nothing to print, so nobody has one of these.

class output::impl {};

output::output(std::unique_ptr<impl> from) noexcept : impl_(std::move(from)) {}
output::output(output&&) noexcept = default;
output& output::operator=(output&&) noexcept = default;
output::~output() = default;
void output::async_read_some(std::span<std::byte>, detail::handler<void(error_code, std::size_t)>) {
}
void output::writer_exited() noexcept {}

// --- Time ---------------------------------------------------------------------------------------

clock::time_point clock::now() noexcept {
  return system::current().now;
}

class timer::impl {
 public:
  explicit impl(asio::any_io_executor from) : executor(std::move(from)) {
    system::current().timers.push_back(&wait);
  }
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() { std::erase(system::current().timers, &wait); }

  asio::any_io_executor executor;
  sim::timer_wait wait;
};

timer::timer(asio::any_io_executor executor) : impl_(std::make_unique<impl>(std::move(executor))) {}
timer::~timer() = default;

void timer::async_wait_until(clock::time_point when, detail::handler<void(error_code)> completion) {
  cancel();
  impl_->wait.owner = &system::current().running();
  impl_->wait.until = when;
  impl_->wait.waits.start(impl_->executor, std::move(completion));
}

void timer::cancel() noexcept {
  impl_->wait.waits.abort();
}

}  // namespace prong::os

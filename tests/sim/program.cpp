// What simulated workers run.
// SPDX-License-Identifier: BSL-1.0
#include "sim/program.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <chrono>
#include <string>

namespace prong::sim {
namespace {

constexpr auto retry_pause = std::chrono::milliseconds(200);
constexpr std::size_t most_connections = 32;

}  // namespace

program::program(world& in, process& self, asio::io_context& io, habits what)
    : world_(in), self_(self), io_(io), habits_(std::move(what)) {
  self.channel->grandchild = habits_.has_grandchild;
  auto channel = open_channel(io.get_executor(), self.channel, 1);
  if (habits_.is == habits::kind::server) {
    impl_ = std::make_shared<detail::worker_impl>(io.get_executor(), std::move(channel), self.turns,
                                                  worker_id{self.worker});
    serve();
    return;
  }
  stays_.emplace(io.get_executor());
  bare_.emplace(std::move(channel));
  world_.rules.misbehaves(self_);
  if (habits_.is != habits::kind::old_version) return;
  wire::hello greeting;
  greeting.oldest = greeting.newest = wire::newest_protocol + 1;
  greeting.worker = self.worker;
  inject(greeting);
}

program::~program() {
  for (auto& each : slots_) each->acceptor->close();
  if (impl_) impl_->close();
}

void program::serve() {
  if (habits_.ignores_stop) stays_.emplace(io_.get_executor());
  impl_->start();
  for (auto const port : habits_.ports) {
    auto made = std::make_shared<detail::acceptor_impl>(impl_);
    made->open();
    slots_.push_back(std::make_unique<slot>(std::move(made), port, io_.get_executor()));
    listen(*slots_.back());
    for (auto count = habits_.accepts; count > 0; --count) accept(slots_.size() - 1);
  }
  impl_->wait_stop(detail::handler<void(error_code)>([this](error_code) { on_stop(); }));
  receive();
}

// --- Connections --------------------------------------------------------------------------------

void program::listen(slot& at) {
  detail::listen_request what;
  what.where = endpoint(asio::ip::address_v4::loopback(), at.port);
  at.acceptor->listen(std::move(what));
}

void program::accept(std::size_t number) {
  ++slots_[number]->waiting;
  slots_[number]->acceptor->accept(detail::handler<void(error_code, os::socket)>(
      [this, number](error_code ec, os::socket connection) {
        on_accepted(number, ec, std::move(connection));
      }));
}

void program::on_accepted(std::size_t number, error_code ec, os::socket connection) {
  auto& at = *slots_[number];
  --at.waiting;
  if (!ec) {
    world_.rules.handler_got(self_.id, world_.os.object_of(connection.get()));
    if (habits_.keeps_connections && !settled_ && connections_.size() < most_connections) {
      keep(at, std::move(connection));
    }
    if (at.open) accept(number);
  } else if (at.open && !impl_->stopping()) {
    retry(number);  // it was cancelled, or the port cannot be had now
  }
}

void program::keep(slot& at, os::socket connection) {
  at.acceptor->count_connection();
  connections_.push_back({std::move(connection), at.acceptor});
  stays_.emplace(io_.get_executor());
}

void program::end_connection() {
  connections_.back().acceptor->connection_ended();
  connections_.pop_back();
}

void program::end_all_connections() {
  while (!connections_.empty()) end_connection();
}

void program::retry(std::size_t number) {
  auto& at = *slots_[number];
  auto on_time = [this, number](error_code ec) {
    auto& again = *slots_[number];
    if (ec || !again.open || impl_->stopping()) return;
    while (again.waiting < habits_.accepts) accept(number);
  };
  at.retry.async_wait_for(retry_pause, detail::handler<void(error_code)>(std::move(on_time)));
}

void program::close(slot& at) {
  at.open = false;
  at.retry.cancel();
  at.acceptor->close();
}

bool program::waits_on(std::uint16_t port) const {
  return std::any_of(slots_.begin(), slots_.end(), [port](auto const& each) {
    auto const& at = *each->acceptor;
    return each->open && each->waiting > 0 && at.listens() && at.bound().port == port;
  });
}

// --- Messages and the end -----------------------------------------------------------------------

void program::receive() {
  if (!habits_.reads || receiving_) return;
  receiving_ = true;
  impl_->receive(detail::handler<void(error_code, message)>([this](error_code ec, message what) {
    receiving_ = false;
    if (ec) return;
    world_.rules.message_received(self_.worker, 0, what);
    receive();
  }));
}

void program::send() {
  auto what = world_.rules.write_message(self_.worker, 1);
  auto const number = std::stoull(what.topic);
  impl_->send(std::move(what), detail::handler<void(error_code)>([this, number](error_code ec) {
                if (!ec) world_.rules.message_sent(self_.worker, 1, number);
              }));
}

void program::on_stop() {
  if (habits_.ignores_stop && !settled_) return;
  for (auto& each : slots_) each->retry.cancel();
  end_all_connections();
  stays_.reset();
}

void program::settle() {
  settled_ = true;
  self_.stays_until = world_.os.now;
  if (habits_.is != habits::kind::server) return;
  habits_.ignores_stop = habits_.misbehaves = false;
  habits_.reads = true;
  end_all_connections();
  stays_.reset();
  if (impl_->stopping()) {
    on_stop();
    return;
  }
  for (std::size_t number = 0; number < slots_.size(); ++number) {
    auto& at = *slots_[number];
    if (!at.open) {
      at.acceptor->open();
      at.open = true;
      listen(at);
    }
    while (at.waiting < habits_.accepts) accept(number);
  }
  receive();
}

void program::act() {
  if (!impl_) return;
  auto& draw = world_.os.chooses;
  auto& at = *slots_[draw.pick(slots_.size())];
  auto const what = draw.pick(20);
  world_.os.note("acts", what);
  if (what == 0)
    exits_ = true;
  else if (what == 1)
    world_.end(self_, 128 + 11, 11);
  else if (what == 2)
    impl_->disconnect(detail::handler<void(error_code)>([](error_code) {}));
  else if (what <= 4)
    self_.stays_until = world_.os.now + std::chrono::milliseconds(draw.pick(3000));
  else if (what <= 6)
    at.acceptor->cancel();
  else if (what <= 8 && at.open)
    close(at);
  else if (what <= 10 && !at.open && !impl_->stopping()) {
    at.acceptor->open();
    at.open = true;
    listen(at);
    while (at.waiting < habits_.accepts)
      accept(static_cast<std::size_t>(
          std::find_if(slots_.begin(), slots_.end(),
                       [&](auto const& each) { return each.get() == &at; }) -
          slots_.begin()));
  } else if (what <= 12 && !connections_.empty())
    end_connection();
  else if (what == 13)
    habits_.reads = !habits_.reads, receive();
  else if (what == 14 && habits_.misbehaves)
    misbehave();
  else if (habits_.sends)
    for (auto count = draw.pick(4) == 0 ? 100u : 1u; count > 0; --count) send();
}

// --- Those that do what they must not -----------------------------------------------------------

void program::inject(wire::control const& what) {
  std::vector<std::byte> bytes;
  wire::encode(what, bytes);
  for (auto* const each : world_.os.ends)
    if (&each->owner() == &self_ && each->inject(bytes)) self_.ready = true;
}

void program::misbehave() {
  auto& draw = world_.os.chooses;
  world_.rules.misbehaves(self_);
  auto const ids = world_.rules.offered_ids(self_.id);
  auto const id = ids.empty() ? draw.pick(3) : ids[draw.pick(ids.size())];
  switch (draw.pick(9)) {
    case 0: inject(wire::took{id}); break;
    case 1: inject(wire::took{id}), inject(wire::took{id}); break;
    case 2: inject(wire::refused{~id}); break;
    case 3: inject(wire::credit{1, 5000}); break;
    case 4: inject(wire::credit{1, 1}); break;
    case 5: inject(wire::hello{}); break;
    case 6: inject(wire::stop{}); break;
    case 7:
      for (int count = 0; count < 300; ++count) inject(wire::message{"0", "x"});
      break;
    default:
      for (auto* const each : world_.os.ends)
        if (&each->owner() == &self_) each->inject(std::vector<std::byte>(40, std::byte{0xee}));
  }
}

}  // namespace prong::sim

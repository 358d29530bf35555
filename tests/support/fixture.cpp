// A primary with real workers.
// SPDX-License-Identifier: BSL-1.0
#include "support/fixture.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

namespace prong::test {
namespace {

char const* name_of(event const& what) {
  static constexpr char const* names[] = {
      "forked",       "online", "listening",         "listen_failed",   "message", "output",
      "disconnected", "exited", "respawn_suspended", "respawn_resumed", "setup",   "events_lost"};
  static_assert(std::variant_size_v<event> == std::size(names));
  return names[what.index()];
}

}  // namespace

tcp::endpoint any_port() {
  return {asio::ip::address_v4::loopback(), 0};
}

options pool_of(std::size_t count) {
  options settings;
  settings.workers = count;
  return settings;
}

options round_robin_pool_of(std::size_t count) {
  auto settings = pool_of(count);
  settings.scheduling = scheduling::round_robin;
  return settings;
}

leaves_nothing::~leaves_nothing() {
  CHECK_FALSE(has_child());
  CHECK(open_handles() == before_);
}

fixture::fixture(options settings, std::string_view body) {
  next_worker_runs(body);
  if (!settings.worker.arguments) settings.worker.arguments.emplace();
  // Who gets what is not to depend on how busy this machine is, unless a test says so.
  if (settings.recall_after == options{}.recall_after) settings.recall_after = {};
  bool const pool = settings.workers > 0;
  boss.emplace(io, std::move(settings));
  if (pool) boss->async_run([this](error_code ec) { ran = ec; });
}

event fixture::next_event() {
  std::optional<error_code> result;
  event next;
  boss->async_next_event([&](error_code ec, event what) {
    result = ec;
    next = std::move(what);
  });
  run_until([&] { return result.has_value(); });
  if (*result) fail("no more events come: " + result->message());
  return next;
}

std::string fixture::expect_message(worker_id id) {
  return expect_from<worker_message>(id).message.topic;
}

tcp::endpoint fixture::listening(std::size_t count) {
  tcp::endpoint port;
  for (; count > 0; --count) port = expect<worker_listening>().endpoint.tcp();
  return port;
}

worker_id fixture::fork(std::string_view body) {
  fork_options settings;
  settings.environment.emplace_back(worker_program_variable, body);
  return boss->fork(std::move(settings));
}

void fixture::next_worker_runs(std::string_view body) {
  set_variable(worker_program_variable, std::string(body));
}

error_code fixture::send(worker_id to, std::string topic, std::string body) {
  return complete([&](auto done) {
    boss->async_send(to, message(std::move(topic), std::move(body)), std::move(done));
  });
}

std::string fixture::ask(worker_id to, std::string topic, std::string body) {
  if (auto const ec = send(to, std::move(topic), std::move(body)))
    fail("cannot be asked: " + ec.message());
  return expect_message(to);
}

error_code fixture::disconnect(worker_id id) {
  return complete([&](auto done) { boss->async_disconnect(id, std::move(done)); });
}

error_code fixture::reload() {
  return complete([&](auto done) { boss->async_reload(std::move(done)); });
}

error_code fixture::shutdown() {
  return complete([&](auto done) { boss->async_shutdown(std::move(done)); });
}

std::vector<worker_id> fixture::ids() const {
  std::vector<worker_id> all;
  for (auto const& each : boss->workers()) all.push_back(each.id);
  return all;
}

void fixture::fail(std::string_view why) const {
  std::string text(why);
  text += "; workers:";
  for (auto const& each : boss->workers())
    text += " " + std::to_string(static_cast<unsigned>(each.id)) + " in state " +
            std::to_string(static_cast<int>(each.state)) + " on " +
            std::to_string(each.endpoints.size()) + " ports,";
  text += " events passed over:";
  for (auto const& each : untaken_) text += std::string(" ") + name_of(each);
  throw std::runtime_error(text + '\n' + what_processes_do());
}

client::client(fixture& owner, tcp::endpoint const& to) : f(&owner), socket(owner.io) {
  socket.connect(to);
}

std::optional<std::string> client::read_line() {
  auto const ec = f->complete([&](auto done) {
    asio::async_read_until(socket, asio::dynamic_buffer(read_), '\n',
                           [done](error_code failure, std::size_t) mutable { done(failure); });
  });
  if (ec) return std::nullopt;
  auto const end = read_.find('\n');
  auto line = read_.substr(0, end);
  read_.erase(0, end + 1);
  return line;
}

worker_id client::server() {
  auto const line = read_line();
  if (!line) throw std::runtime_error("no worker serves the connection");
  return worker_id{static_cast<std::uint32_t>(std::stoul(*line))};
}

std::string client::ask(std::string const& line) {
  asio::write(socket, asio::buffer(line + '\n'));
  return read_line().value_or("(the connection has ended)");
}

}  // namespace prong::test

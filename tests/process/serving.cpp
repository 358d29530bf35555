// What most workers of these tests do.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/read_until.hpp>

namespace prong::test {

awaitable<void> greet_and_echo(tcp::socket connection, worker_id by) {
  co_await say(connection, std::to_string(static_cast<std::uint32_t>(by)));
  std::string text;
  for (;;) {
    auto const size = co_await asio::async_read_until(connection, asio::dynamic_buffer(text), '\n',
                                                      use_awaitable);
    co_await asio::async_write(connection, asio::buffer(text, size), use_awaitable);
    text.erase(0, size);
  }
}

void serve_any_port(worker& self) {
  asio::co_spawn(self.get_executor(), serve(acceptor(self, any_port()), self.id()), detached);
}

awaitable<void> say(tcp::socket& to, std::string text) {
  text += '\n';
  co_await asio::async_write(to, asio::buffer(text), use_awaitable);
}

awaitable<void> tell(worker& self, std::string topic) {
  message what(std::move(topic), "");
  co_await self.async_send(std::move(what), use_awaitable);
}

awaitable<void> hear(worker& self, std::string topic) {
  for (;;) {
    auto const next = co_await self.async_receive(use_awaitable);
    if (next.topic == topic) co_return;
  }
}

awaitable<void> answer_messages(worker& self) {
  for (;;) {
    auto next = co_await self.async_receive(use_awaitable);
    co_await self.async_send(std::move(next), use_awaitable);
  }
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>(at * 7 + at / 251);
  return text;
}

void spin() {
  for (unsigned volatile turns = 0;;) turns = turns + 1;
}

WORKER_BODY(echo)(worker& self)->awaitable<void> {
  co_await serve(acceptor(self, any_port()), self.id());
}

WORKER_BODY(answers_messages)(worker& self)->awaitable<void> {
  co_await answer_messages(self);
}

WORKER_BODY(echo_both)(worker& self)->awaitable<void> {
  serve_any_port(self);
  co_await answer_messages(self);
}

}  // namespace prong::test

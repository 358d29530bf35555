// Messages between primary and workers.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

namespace prong::test {
namespace {

constexpr std::size_t waiting = 256;  // sends that may wait

}  // namespace

TEST_CASE("messages arrive once and in order, both ways", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  constexpr int count = 300;
  int sent = 0;
  for (int number = 0; number < count; ++number)
    f.boss->async_send(id, message(std::to_string(number), pattern(100)), [&](error_code ec) {
      CHECK_FALSE(ec);
      ++sent;
    });
  for (int number = 0; number < count; ++number) {
    auto const answer = f.expect<worker_message>();
    CHECK(answer.id == id);
    CHECK(answer.message == message(std::to_string(number), pattern(100)));
  }
  f.run_until([&] { return sent == count; });
}

TEST_CASE("a message of 1 MiB arrives whole", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  auto const body = pattern(message::max_body_size);
  for (int count = 0; count < 3; ++count) REQUIRE_FALSE(f.send(id, "large", body));
  for (int count = 0; count < 3; ++count) {
    auto const answer = f.expect<worker_message>().message;
    CHECK(answer.topic == "large");
    CHECK((answer.body == body));
  }
}

WORKER_BODY(sends_too_much)(worker& self)->awaitable<void> {
  error_code ec;
  message large("large", std::string(message::max_body_size + 1, 'x'));
  co_await self.async_send(std::move(large), asio::redirect_error(use_awaitable, ec));
  std::string result = ec.message();
  if (ec == errc::message_too_large) result = "refused";
  co_await tell(self, result);
  co_await answer_messages(self);
}

TEST_CASE("a message of more than 1 MiB is refused, and the next one is sent",
          "[process][messages]") {
  fixture f({});
  auto const id = f.fork("sends_too_much");
  CHECK(f.expect_message(id) == "refused");
  CHECK(f.send(id, "large", std::string(message::max_body_size + 1, 'x')) ==
        errc::message_too_large);
  CHECK(f.send(id, std::string(message::max_topic_size + 1, 'x')) == errc::message_too_large);
  CHECK(f.ask(id, "small") == "small");
}

TEST_CASE("as many large messages as small ones may wait, and all arrive", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  auto const body = pattern(64 * 1024);
  // One of four times 16 KiB counts for five.
  constexpr std::size_t all = message_window / 5 + waiting;
  std::size_t sent = 0;
  for (std::size_t number = 0; number < all; ++number)
    f.boss->async_send(id, message(std::to_string(number), body), [&](error_code ec) {
      CHECK_FALSE(ec);
      ++sent;
    });
  CHECK(f.send(id, "one too many", body) == errc::queue_full);
  for (std::size_t number = 0; number < all; ++number) {
    auto const answer = f.expect_from<worker_message>(id).message;
    CHECK(answer.topic == std::to_string(number));
    CHECK((answer.body == body));
  }
  CHECK(sent == all);
}

WORKER_BODY(sends_large_messages_and_disconnects)(worker& self)->awaitable<void> {
  for (int number = 0; number < 40; ++number)
    self.async_send(message(std::to_string(number), pattern(64 * 1024)), detached);
  co_await self.async_disconnect(use_awaitable);
}

TEST_CASE("messages that were sent before a worker disconnects arrive", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("sends_large_messages_and_disconnects");
  for (int number = 0; number < 40; ++number) CHECK(f.expect_message(id) == std::to_string(number));
  CHECK(f.expect_from<worker_exited>(id).exited_after_disconnect);
}

// --- Back-pressure ------------------------------------------------------------------------------

// Takes messages when a client comes, and not before.
WORKER_BODY(answers_when_a_client_comes)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  co_await listener.async_accept(use_awaitable);
  co_await answer_messages(self);
}

TEST_CASE("sends wait for a worker that does not receive, within a bound", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_when_a_client_comes");
  auto const other = f.fork("answers_messages");
  auto const port = f.listening();
  asio::cancellation_signal cancel;
  std::size_t sent = 0, cancelled = 0, refused = 0;
  auto const count = [&](error_code ec) {
    if (!ec)
      ++sent;
    else if (ec == asio::error::operation_aborted)
      ++cancelled;
    else if (ec == errc::queue_full)
      ++refused;
  };
  constexpr std::size_t all = message_window + waiting;
  for (std::size_t number = 0; number < all - 1; ++number)
    f.boss->async_send(id, message(std::to_string(number), ""), count);
  f.boss->async_send(id, message("cancelled", ""),
                     asio::bind_cancellation_slot(cancel.slot(), count));
  f.boss->async_send(id, message("one too many", ""), count);
  f.run_until([&] { return sent == message_window && refused == 1; });
  f.ask(other, "a while passes");
  CHECK(sent == message_window);

  cancel.emit(asio::cancellation_type::total);
  f.run_until([&] { return cancelled == 1; });
  f.boss->async_send(id, message(std::to_string(all - 1), ""), count);  // there is room again

  client one(f, port);
  for (std::size_t number = 0; number < all; ++number)
    CHECK(f.expect_message(id) == std::to_string(number));
  f.run_until([&] { return sent == all; });
  CHECK(refused == 1);
}

TEST_CASE("a large message counts for several of those that may be on their way",
          "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_when_a_client_comes");
  auto const other = f.fork("answers_messages");
  auto const port = f.listening();
  auto const body = pattern(3 * 16 * 1024);
  constexpr std::size_t fit = message_window / 4, all = fit + 10;
  std::size_t sent = 0;
  for (std::size_t number = 0; number < all; ++number)
    f.boss->async_send(id, message(std::to_string(number), body), [&](error_code ec) {
      CHECK_FALSE(ec);
      ++sent;
    });
  f.run_until([&] { return sent == fit; });
  f.ask(other, "a while passes");
  CHECK(sent == fit);
  client one(f, port);
  for (std::size_t number = 0; number < all; ++number)
    CHECK(f.expect_message(id) == std::to_string(number));
  f.run_until([&] { return sent == all; });
}

// Sends 300 messages when a client comes, and tells it how many sends have completed: when the
// window is full, and then for each line.
WORKER_BODY(sends_when_a_client_comes)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  auto connection = co_await listener.async_accept(use_awaitable);
  std::size_t sent = 0;
  asio::steady_timer full(self.get_executor(), asio::steady_timer::time_point::max());
  for (int number = 0; number < 300; ++number)
    self.async_send(message(std::to_string(number), ""), [&](error_code) {
      if (++sent == message_window) full.cancel();
    });
  co_await full.async_wait(asio::as_tuple(use_awaitable));
  std::string line;
  for (;;) {
    co_await say(connection, std::to_string(sent));
    auto const [ec, size] = co_await asio::async_read_until(connection, asio::dynamic_buffer(line),
                                                            '\n', asio::as_tuple(use_awaitable));
    if (ec) co_return;
    line.erase(0, size);
  }
}

TEST_CASE("a worker's sends wait while the primary's program takes no events",
          "[process][messages]") {
  fixture f({});
  auto const id = f.fork("sends_when_a_client_comes");
  client one(f, f.listening());
  CHECK(one.read_line() == "256");
  for (int count = 0; count < 5; ++count) CHECK(one.ask("how many now?") == "256");
  for (int number = 0; number < 300; ++number)
    CHECK(f.expect_message(id) == std::to_string(number));
  while (one.ask("and now?") != "300") continue;
}

// --- Ends ---------------------------------------------------------------------------------------

TEST_CASE("sends that wait for a worker fail when it dies", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_when_a_client_comes");
  f.listening();
  std::size_t sent = 0, failed = 0;
  for (std::size_t number = 0; number < message_window + 10; ++number)
    f.boss->async_send(id, message("hello", ""), [&](error_code ec) {
      if (!ec)
        ++sent;
      else if (ec == errc::worker_gone)
        ++failed;
    });
  f.run_until([&] { return sent == message_window; });
  f.boss->kill(id);
  f.run_until([&] { return failed == 10; });
  f.expect<worker_disconnected>();
  auto const why = f.boss->workers().empty() ? errc::no_such_worker : errc::worker_gone;
  CHECK(f.send(id, "too late") == why);
  f.expect<worker_exited>();
  CHECK(f.send(id, "too late") == errc::no_such_worker);
  CHECK(f.send(worker_id{1000}, "to nobody") == errc::no_such_worker);
}

TEST_CASE("nothing is sent to a worker that drains", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("echo");
  client one(f, f.listening());
  one.server();
  bool gone = false;
  f.boss->async_disconnect(id, [&](error_code) { gone = true; });
  CHECK(f.send(id, "too late") == errc::worker_gone);
  CHECK(one.ask("still here") == "still here");
  one.socket.close();
  f.run_until([&] { return gone; });
}

WORKER_BODY(says_how_its_messages_end)(worker& self)->awaitable<void> {
  serve_any_port(self);
  acceptor reports(self, any_port());
  auto connection = co_await reports.async_accept(use_awaitable);
  co_await say(connection, "ready");
  auto [ended, none] = co_await self.async_receive(asio::as_tuple(use_awaitable));
  auto [refused] = co_await self.async_send(message("late", ""), asio::as_tuple(use_awaitable));
  bool const as_expected = ended == asio::error::operation_aborted &&
                           refused == asio::error::operation_aborted && self.is_stopping();
  std::string result = ended.message() + refused.message();
  if (as_expected) result = "aborted";
  co_await say(connection, result);
}

TEST_CASE("messages of a worker that drains end with operation_aborted", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("says_how_its_messages_end");
  f.listening();
  client one(f, f.listening());
  REQUIRE(one.read_line() == "ready");
  CHECK_FALSE(f.disconnect(id));
  CHECK(one.read_line() == "aborted");
}

}  // namespace prong::test

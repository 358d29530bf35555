// Handlers of events, messages and sends, of which several are called in one turn of the loop:
// what each of them may do.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/post.hpp>
#include <functional>
#include <stdexcept>
#include <string>

namespace prong::test {
namespace {

constexpr int several = 10;

struct thrown_by_a_handler : std::runtime_error {
  thrown_by_a_handler() : runtime_error("thrown by a handler") {}
};

// Calls `run` until it returns without what a handler throws.
template <class Run>
void run_through(Run run) {
  for (;;) {
    try {
      return run();
    } catch (thrown_by_a_handler const&) {
      continue;
    }
  }
}

// At each message.
WORKER_BODY(sends_several)(worker& self)->awaitable<void> {
  for (;;) {
    co_await self.async_receive(use_awaitable);
    for (int number = 0; number < several; ++number)
      self.async_send(message(std::to_string(number), ""), detached);
  }
}

}  // namespace

TEST_CASE("a handler of an event that throws takes no other event with it", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("sends_several");
  f.expect_from<worker_online>(id);
  std::string got;
  for (int count = 0; count < several; ++count)
    f.boss->async_next_event([&](error_code, event const& what) {
      got += std::get<worker_message>(what).message.topic;
      throw thrown_by_a_handler();
    });
  f.boss->async_send(id, message("now", ""), detached);
  run_through([&] { f.run_until([&] { return got == "0123456789"; }); });
}

TEST_CASE("a handler of a send that throws takes no other with it", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  int sent = 0;
  for (int number = 0; number < several; ++number)
    f.boss->async_send(id, message(std::to_string(number), ""), [&](error_code) {
      ++sent;
      throw thrown_by_a_handler();
    });
  run_through([&] { f.run_until([&] { return sent == several; }); });
  for (int number = 0; number < several; ++number)
    CHECK(f.expect_message(id) == std::to_string(number));
}

// Receives as many messages with handlers that throw, and says so.
WORKER_PROGRAM(throws_at_each_message) {
  asio::io_context io;
  worker self(io);
  std::string got;
  for (int count = 0; count < several; ++count)
    self.async_receive([&](error_code, message const& what) {
      got += what.topic;
      throw thrown_by_a_handler();
    });
  run_through([&] {
    while (got != "0123456789") io.run_one();
  });
  self.async_send(message("got all", ""), detached);
  self.async_receive([](error_code, message const&) {});  // until it is to drain
  io.run();
  return 0;
}

TEST_CASE("a handler of a message that throws takes no other message with it",
          "[process][messages]") {
  fixture f({});
  auto const id = f.fork("throws_at_each_message");
  for (int number = 0; number < several; ++number)
    f.boss->async_send(id, message(std::to_string(number), ""), detached);
  CHECK(f.expect_message(id) == "got all");
  CHECK_FALSE(f.disconnect(id));
}

TEST_CASE("a primary may end in the handler of one of several messages", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("sends_several");
  f.expect_from<worker_online>(id);
  int got = 0, aborted = 0;
  for (int count = 0; count < several; ++count)
    f.boss->async_next_event([&](error_code ec, event const&) {
      if (ec)
        ++aborted;
      else if (++got == 2)
        f.boss.reset();
    });
  f.boss->async_send(id, message("now", ""), detached);
  f.run_until([&] { return got + aborted == several; });
  CHECK(got == 2);
}

// Ends its `worker` when it has got two messages of several.
WORKER_PROGRAM(ends_its_worker_at_a_message) {
  asio::io_context io;
  std::optional<worker> self(std::in_place, io);
  int got = 0, aborted = 0;
  for (int count = 0; count < several; ++count)
    self->async_receive([&](error_code ec, message const&) {
      if (ec)
        ++aborted;
      else if (++got == 2)
        self.reset();
    });
  io.run();
  return got == 2 && aborted == several - 2 ? 0 : 1;
}

TEST_CASE("a worker may end in the handler of one of several messages", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("ends_its_worker_at_a_message");
  for (int number = 0; number < several; ++number)
    f.boss->async_send(id, message(std::to_string(number), ""), detached);
  CHECK(f.expect_from<worker_exited>(id).status == 0);
}

TEST_CASE("a send may end the primary when it completes", "[process][messages]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  int done = 0;
  for (int number = 0; number < several; ++number)
    f.boss->async_send(id, message(std::to_string(number), ""), [&](error_code) {
      if (++done == 2) f.boss.reset();
    });
  f.run_until([&] { return done == several; });
}

TEST_CASE("other work has its turn between events that are there", "[process][messages]") {
  fixture f({});
  constexpr int many = 64;
  for (int count = 0; count < many; ++count) f.boss->setup({});
  int got = 0, got_before_other_work = 0;
  std::function<void()> const next = [&] {
    f.boss->async_next_event([&](error_code, event const&) {
      if (++got == 1) asio::post(f.io, [&] { got_before_other_work = got; });
      if (got < many) next();
    });
  };
  next();
  f.run_until([&] { return got == many; });
  CHECK(got_before_other_work > 0);
}

}  // namespace prong::test

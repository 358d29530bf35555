// Messages both ways: the primary gives each worker a number, each worker answers with its square.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <prong/prong.hpp>
#include <string>
#include <variant>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable;

namespace {

constexpr int workers = 3;

awaitable<void> answer(prong::worker& self) {
  for (;;) {  // until the worker is to stop: the operation then throws `operation_aborted`
    auto const task = co_await self.async_receive(use_awaitable);
    auto const number = std::stoi(task.body);
    prong::message result("result", std::to_string(number * number));
    co_await self.async_send(std::move(result), use_awaitable);
  }
}

awaitable<void> ask(prong::primary& boss, bool& all_answered) {
  for (int answers = 0; answers < workers;) {
    auto const event = co_await boss.async_next_event(use_awaitable);
    if (auto const* const online = std::get_if<prong::worker_online>(&event)) {
      prong::message task("square", std::to_string(static_cast<int>(online->id)));
      co_await boss.async_send(online->id, std::move(task), use_awaitable);
    } else if (auto const* const got = std::get_if<prong::worker_message>(&event)) {
      std::printf("worker %d: %s\n", static_cast<int>(got->id), got->message.body.c_str());
      ++answers;
    } else if (auto const* const gone = std::get_if<prong::worker_exited>(&event)) {
      std::printf("worker %d %s\n", static_cast<int>(gone->id), describe(*gone).c_str());
      co_return;
    }
  }
  all_answered = true;
  co_await boss.async_shutdown(use_awaitable);
}

}  // namespace

int main() {
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    asio::co_spawn(context, answer(self), asio::detached);
    context.run();
    return 0;
  }
  prong::primary boss(context);
  bool all_answered = false;
  for (int i = 0; i < workers; ++i) boss.fork();
  asio::co_spawn(context, ask(boss, all_answered), [&](std::exception_ptr) { context.stop(); });
  context.run();
  return all_answered ? 0 : 1;
}

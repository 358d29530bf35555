// Sticky sessions: a client's address chooses its worker. Ends when one client was there often.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio.hpp>
#include <cstdio>
#include <prong/prong.hpp>
#include <set>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable, asio::ip::tcp;

namespace {

awaitable<void> distribute(prong::primary& boss, prong::acceptor& acceptor) {
  for (tcp::endpoint from;;) {
    auto client = co_await acceptor.async_accept_handle(from, use_awaitable);
    auto const workers = boss.workers();
    auto const at = std::hash<asio::ip::address>()(from.address()) % workers.size();
    prong::message gift("client", "", std::move(client));
    boss.async_send(workers[at].id, std::move(gift), asio::detached);
  }
}

awaitable<void> serve(prong::worker& self) {
  for (;;) {
    auto gift = co_await self.async_receive(use_awaitable);
    tcp::socket client(self.get_executor());
    prong::assign_socket(client, tcp::v4(), std::move(gift.socket));
    auto const answer = "worker " + std::to_string(unsigned(self.id())) + "\n";
    co_await asio::async_write(client, asio::buffer(answer), use_awaitable);
  }
}

awaitable<void> ask_often(prong::primary& boss, prong::acceptor& acceptor, bool& sticky) {
  co_await acceptor.async_listen(use_awaitable);
  std::set<std::string> answers;
  for (int count = 0; count < 5; ++count) {
    tcp::socket client(boss.get_executor());
    co_await client.async_connect(acceptor.local_endpoint(), use_awaitable);
    std::string answer;
    co_await asio::async_read_until(client, asio::dynamic_buffer(answer), '\n', use_awaitable);
    std::printf("served by %s", answer.c_str());
    answers.insert(answer);
  }
  sticky = answers.size() == 1;
  co_await boss.async_shutdown(use_awaitable);
}

}  // namespace

int main() {
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    asio::co_spawn(context, serve(self), asio::detached);
    context.run();
    return 0;
  }
  prong::primary boss(context);
  for (int count = 0; count < 3; ++count) boss.fork();
  prong::worker here(context);  // of this process, so that the acceptor accepts here
  prong::acceptor acceptor(here, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  asio::co_spawn(context, distribute(boss, acceptor), asio::detached);
  bool sticky = false;
  asio::co_spawn(context, ask_often(boss, acceptor, sticky), [&](auto) { context.stop(); });
  context.run();
  return sticky ? 0 : 1;
}

// Reloads on SIGHUP; stops on SIGTERM, when the last client has left: from_node_restart [PORT].
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio.hpp>
#include <cstdio>
#include <cstdlib>
#include <prong/prong.hpp>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable, asio::ip::tcp;

namespace {

awaitable<void> echo(tcp::socket client) {
  char data[4096];
  for (;;) {
    auto const count = co_await client.async_read_some(asio::buffer(data), use_awaitable);
    co_await asio::async_write(client, asio::buffer(data, count), use_awaitable);
  }
}

awaitable<void> serve(prong::worker& self, tcp::endpoint where) {
  prong::acceptor acceptor(self, where);
  for (;;) {
    auto [ec, client] = co_await acceptor.async_accept(asio::as_tuple(use_awaitable));
    if (ec) co_return;  // the worker is to stop; its clients stay until they leave
    asio::co_spawn(self.get_executor(), echo(std::move(client)), asio::detached);
  }
}

void print(prong::event const& event) {
  if (auto const* const at = std::get_if<prong::worker_listening>(&event))
    std::printf("worker %u listens on %s\n", unsigned(at->id), to_string(at->endpoint).c_str());
  else if (auto const* const gone = std::get_if<prong::worker_exited>(&event))
    std::printf("worker %u %s\n", unsigned(gone->id), describe(*gone).c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  tcp::endpoint const port(tcp::v4(), argc > 1 ? asio::ip::port_type(std::atoi(argv[1])) : 8000);
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    asio::co_spawn(context, serve(self, port), asio::detached);
    context.run();  // until the worker was asked to stop and its last client has left
    return 0;
  }
  int status = 1;
  prong::options settings;
  settings.workers = 2;
  prong::host host(context);
  prong::primary boss(context, settings);
  prong::hosting how;
  how.on_event = print;
  host.async_run(boss, how, [&](prong::error_code ec) { status = ec ? 1 : 0; });
  context.run();
  return status;
}

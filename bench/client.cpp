// A client of the benchmark for what wrk cannot do: new connections that arrive as they do in life,
// some of which ask for what blocks a worker; connections that stay open for unequal times; and a
// count for each worker. Says in one line of JSON what it has seen. It needs nothing but Asio, so
// that it also measures where there is no wrk.
// SPDX-License-Identifier: BSL-1.0
#include "tally.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <exception>
#include <random>
#include <string>
#include <string_view>

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

struct settings {
  std::uint16_t port = 0;
  std::size_t workers = 1;  // that the server has
  std::size_t clients = 64;
  double seconds = 1;
  double rate = 0;  // connections a second, of all clients together; 0: one after the other
  std::string path = "/";
  double slow_share = 0;
  std::string slow_path = "/block?ms=20";
  double hold_ms = 0;  // the mean time a connection stays open after its answer
};

constexpr auto token = asio::as_tuple(asio::use_awaitable);

class load {
 public:
  explicit load(settings const& how) : how_(how), seen_(how.workers) {}

  std::string run() {
    begin_ = bench::clock::now();
    end_ = begin_ + in_seconds(how_.seconds);
    for (std::size_t i = 0; i < how_.clients; ++i)
      asio::co_spawn(context_, be_a_client(), [this](std::exception_ptr const&) {
        if (++ended_ == how_.clients) patience_.cancel();
      });
    patience_.expires_at(end_ + std::chrono::seconds(5));
    patience_.async_wait([this](error_code ec) {
      if (!ec) context_.stop();
    });
    if (how_.hold_ms > 0) asio::co_spawn(context_, sample(), asio::detached);
    context_.run();
    for (; ended_ < how_.clients; ++ended_) seen_.failed();  // who still waits for an answer
    return seen_.told_after(bench::clock::now() - begin_);
  }

 private:
  struct answer {
    bool good = false;
    std::string worker{};
  };

  static bench::clock::duration in_seconds(double seconds) {
    return std::chrono::duration_cast<bench::clock::duration>(
        std::chrono::duration<double>(seconds));
  }

  /// A time of which nobody knows how long it is, as between the customers of a shop.
  bench::clock::duration some_time(double mean_seconds) {
    return in_seconds(std::exponential_distribution<double>(1 / mean_seconds)(random_));
  }

  asio::awaitable<void> pause(bench::clock::duration time) {
    asio::steady_timer timer(context_, std::min(bench::clock::now() + time, end_));
    co_await timer.async_wait(token);
  }

  bool is_over() const { return bench::clock::now() >= end_; }

  asio::awaitable<void> be_a_client() {
    auto const mean_gap = how_.rate > 0 ? static_cast<double>(how_.clients) / how_.rate : 0;
    while (!is_over()) {
      if (mean_gap > 0) {
        co_await pause(some_time(mean_gap));
        if (is_over()) co_return;
      }
      co_await one_connection();
    }
  }

  asio::awaitable<void> one_connection() {
    bool const slow = std::bernoulli_distribution(how_.slow_share)(random_);
    bool const holds = how_.hold_ms > 0;
    auto const& path = slow ? how_.slow_path : how_.path;
    auto const request = fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\n{}\r\n", path,
                                     holds ? "" : "Connection: close\r\n");
    tcp::socket socket(context_);
    tcp::endpoint const where(asio::ip::address_v4::loopback(), how_.port);
    auto const started = bench::clock::now();
    // Without waiting, which takes no time on one machine: a worker that has taken the connection
    // is to find the request, as if it came from far away in one packet with the connection.
    error_code ec;
    socket.connect(where, ec);
    if (!ec) asio::write(socket, asio::buffer(request), ec);
    if (ec) {
      seen_.failed();
      co_await pause(std::chrono::milliseconds(1));
      co_return;
    }
    auto const got = co_await answer_from(socket);
    if (!got.good) {
      seen_.failed();
      co_return;
    }
    seen_.served(got.worker, bench::clock::now() - started, slow);
    if (!holds) co_return;
    seen_.opened(got.worker);
    co_await pause(some_time(how_.hold_ms / 1000));
    seen_.closed(got.worker);
  }

  /// A complete answer: with the last byte that all have.
  static asio::awaitable<answer> answer_from(tcp::socket& socket) {
    std::array<char, 512> received;
    std::size_t size = 0;
    std::string_view text;
    while (!text.ends_with("\r\n\r\nhello") && size < received.size()) {
      auto const room = asio::buffer(received) + size;
      auto const [ec, count] = co_await socket.async_read_some(room, token);
      if (ec) co_return answer();
      size += count;
      text = std::string_view(received.data(), size);
    }
    answer result;
    result.good = text.starts_with("HTTP/1.1 200");
    constexpr std::string_view name = "Worker: ";
    auto const at = text.find(name);
    if (at != text.npos)
      result.worker = text.substr(at + name.size(), text.find('\r', at) - at - name.size());
    co_return result;
  }

  /// Looks at the open connections again and again, once the first have been replaced.
  asio::awaitable<void> sample() {
    co_await pause(in_seconds(3 * how_.hold_ms / 1000));
    while (!is_over()) {
      seen_.sample_open();
      co_await pause(std::chrono::milliseconds(10));
    }
  }

  settings const& how_;
  bench::tally seen_;
  asio::io_context context_{1};
  asio::steady_timer patience_{context_};  // with a server that does not answer
  std::size_t ended_ = 0;                  // clients
  std::mt19937 random_{std::random_device{}()};
  bench::clock::time_point begin_{}, end_{};
};

}  // namespace

int main(int argc, char** argv) {
  settings how;
  CLI::App app("Measures a server that bench_server is.", "bench_client");
  app.add_option("--port", how.port, "Where the server listens, on 127.0.0.1")->required();
  app.add_option("--workers", how.workers, "How many workers the server has");
  app.add_option("--clients", how.clients, "How many connections at once");
  app.add_option("--seconds", how.seconds, "How long");
  app.add_option("--rate", how.rate, "New connections a second; without: as many as can be");
  app.add_option("--path", how.path, "What to ask for");
  app.add_option("--slow-share", how.slow_share, "The part that asks for the slow path");
  app.add_option("--slow-path", how.slow_path, "The slow path");
  app.add_option("--hold-ms", how.hold_ms, "How long a connection stays open, on average");
  CLI11_PARSE(app, argc, argv);
  std::puts(load(how).run().c_str());
  return 0;
}

// A small HTTP/1.1 server on a prong::acceptor: keep-alive, limits, timeouts, and a way out that
// loses no request.
//
// When the worker drains, requests in progress are answered. A connection between two requests is
// not cut at once, because its client may be sending the next one: it gets `last_wait` for one
// more, which is answered with `Connection: close`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/prong.hpp>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <functional>
#include <set>
#include <utility>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using prong::error_code;

using http_request = http::request<http::string_body>;
using http_response = http::response<http::string_body>;

inline http_response text_response(http::status status, std::string text) {
  http_response response(status, 11);
  response.set(http::field::content_type, "text/plain");
  response.body() = std::move(text);
  return response;
}

class http_server {
 public:
  using responder = std::function<http_response(http_request const&)>;

  http_server(prong::worker& owner, responder answer)
      : owner_(owner), answer_(std::move(answer)), last_wait_(owner.get_executor()) {}
  http_server(http_server const&) = delete;
  http_server& operator=(http_server const&) = delete;

  /// Serves until the worker drains, and returns why no more connections come:
  /// `operation_aborted`, or what kept the worker from listening.
  asio::awaitable<error_code> run(tcp::endpoint where) {
    prong::acceptor acceptor(owner_, where);
    for (;;) {
      auto [ec, client] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (ec) {
        co_await drain();
        co_return ec;
      }
      asio::co_spawn(owner_.get_executor(), serve(std::move(client)), asio::detached);
    }
  }

 private:
  static constexpr std::chrono::seconds idle_time{60};     // without a request
  static constexpr std::chrono::seconds request_time{10};  // from its first byte to its last
  static constexpr std::chrono::seconds answer_time{10};   // until the client has room for it
  static constexpr std::chrono::seconds last_wait{1};
  static constexpr std::uint32_t largest_header = 8 * 1024;
  static constexpr std::uint64_t largest_body = 64 * 1024;
  static constexpr std::size_t read_size = 4 * 1024;

  using parser = http::request_parser<http::string_body>;

  static auto into(error_code& ec) { return asio::redirect_error(asio::use_awaitable, ec); }

  asio::awaitable<void> serve(tcp::socket accepted) {
    error_code ec;
    accepted.set_option(tcp::no_delay(true), ec);
    beast::tcp_stream client(std::move(accepted));
    ++open_;
    co_await answer_requests(client);
    if (--open_ == 0) last_wait_.cancel();
  }

  asio::awaitable<void> answer_requests(beast::tcp_stream& client) {
    beast::flat_buffer received;
    while (co_await request_begins(client, received)) {
      parser request;
      request.header_limit(largest_header);
      request.body_limit(largest_body);
      error_code ec;
      client.expires_after(request_time);
      co_await http::async_read(client, received, request, into(ec));
      if (ec && !is_clients_fault(ec)) co_return;  // it is gone, or too slow

      bool const stays = !ec && request.get().keep_alive() && !owner_.is_stopping();
      auto response = ec ? refusal(ec) : answer_(request.get());
      response.keep_alive(stays);
      response.version(request.get().version() == 10 ? 10 : 11);
      response.prepare_payload();
      if (request.get().method() == http::verb::head) response.body().clear();
      client.expires_after(answer_time);
      co_await http::async_write(client, response, into(ec));
      if (ec) co_return;
      if (!stays) {
        co_await close(client);
        co_return;
      }
    }
  }

  /// Waits until there is something of the next request. False when the connection is over.
  asio::awaitable<bool> request_begins(beast::tcp_stream& client, beast::flat_buffer& received) {
    error_code ec, ignored;
    if (received.size() > 0) co_return true;
    do {
      client.expires_after(owner_.is_stopping() ? last_wait : idle_time);
      idle_.insert(&client);
      auto const room = received.prepare(read_size);
      auto const count = co_await client.async_read_some(room, into(ec));
      idle_.erase(&client);
      received.commit(count);
      // `drain` has ended the waiting, but not if a request came at the same moment.
    } while (ec == asio::error::operation_aborted && client.socket().available(ignored) > 0);
    co_return !ec;
  }

  /// Gives clients a last chance, then ends the connections that are between two requests.
  asio::awaitable<void> drain() {
    if (open_ == 0) co_return;
    error_code ended_early;
    last_wait_.expires_after(last_wait);
    co_await last_wait_.async_wait(into(ended_early));
    for (auto* const each : idle_) each->cancel();
  }

  /// Ends our side, and waits for the client to end its own: to close a socket while the client
  /// still sends resets the connection, and the client might never read our answer.
  static asio::awaitable<void> close(beast::tcp_stream& client) {
    error_code ec;
    client.socket().shutdown(tcp::socket::shutdown_send, ec);
    client.expires_after(last_wait);
    std::array<char, 1024> unread;
    while (!ec) co_await client.async_read_some(asio::buffer(unread), into(ec));
  }

  static bool is_clients_fault(error_code ec) {
    return ec.category() == http::make_error_code(http::error::bad_version).category();
  }

  static http_response refusal(error_code ec) {
    auto status = http::status::bad_request;
    if (ec == http::error::header_limit) status = http::status::request_header_fields_too_large;
    if (ec == http::error::body_limit) status = http::status::payload_too_large;
    return text_response(status, ec.message() + '\n');
  }

  prong::worker& owner_;
  responder answer_;
  asio::steady_timer last_wait_;
  std::size_t open_ = 0;                 // connections
  std::set<beast::tcp_stream*> idle_{};  // those between two requests
};

/// All that a worker does: serves until it was asked to stop and its last connection has ended.
/// Returns the exit status.
inline int serve_http(tcp::endpoint where, http_server::responder answer) {
  asio::io_context context(1);
  prong::worker self(context);
  http_server server(self, std::move(answer));
  error_code why;
  asio::co_spawn(context, server.run(where),
                 [&](std::exception_ptr, error_code result) { why = result; });
  context.run();
  return why == asio::error::operation_aborted ? 0 : 1;
}

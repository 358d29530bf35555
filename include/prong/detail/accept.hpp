// What the acceptor template needs from compiled code: an acceptor's state, and operations on it
// that deal in native sockets.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>
#include <prong/detail/socket_handle.hpp>
#include <prong/worker.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace prong {

/// How an acceptor listens. The first worker that asks for an endpoint decides for all.
struct listen_options {
  int backlog = asio::socket_base::max_listen_connections;
  bool v6_only = false;  ///< an IPv6 acceptor takes no IPv4 connections
};

namespace detail {

class acceptor_impl;

std::shared_ptr<acceptor_impl> make_acceptor(worker& owner);
/// Asks for the endpoint; what comes of it is reported by the operations below.
void listen(acceptor_impl& acceptor, asio::ip::tcp::endpoint const& endpoint,
            listen_options const& settings);
void async_listen(acceptor_impl& acceptor, handler<void(error_code)> completion);
void async_accept(acceptor_impl& acceptor, handler<void(error_code, socket_handle)> completion);
asio::ip::tcp::endpoint local_endpoint(acceptor_impl const& acceptor, error_code& ec);
/// Opens an acceptor that was closed.
void open(acceptor_impl& acceptor);
void cancel(acceptor_impl& acceptor);
void close(acceptor_impl& acceptor);

/// The caller's handler behind a function that makes its arguments from a native socket. Keeps
/// the handler's executor, allocator and cancellation slot.
template <class Handler, class Adopt>
struct adopting_handler {
  Handler completion;
  Adopt adopt;

  void operator()(error_code ec, socket_handle connection) {
    adopt(std::move(completion), ec, std::move(connection));
  }
};

}  // namespace detail
}  // namespace prong

namespace boost::asio {

template <template <class, class> class Associator, class Handler, class Adopt, class Default>
struct associator<Associator, prong::detail::adopting_handler<Handler, Adopt>, Default>
    : Associator<Handler, Default> {
  using adopting = prong::detail::adopting_handler<Handler, Adopt>;
  static auto get(adopting const& handler) noexcept {
    return Associator<Handler, Default>::get(handler.completion);
  }
  static auto get(adopting const& handler, Default const& otherwise) noexcept {
    return Associator<Handler, Default>::get(handler.completion, otherwise);
  }
};

}  // namespace boost::asio

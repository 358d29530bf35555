// What the acceptor template needs from compiled code: an acceptor's state, and operations on it
// that deal in native sockets.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>
#include <prong/listen_options.hpp>
#include <prong/socket_handle.hpp>
#include <prong/worker.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace prong::detail {

class acceptor_impl;

std::shared_ptr<acceptor_impl> make_acceptor(worker& owner);
/// Where handlers complete that say nothing else.
asio::any_io_executor const& executor_of(acceptor_impl const& acceptor) noexcept;
/// Asks for what is wanted; what comes of it is reported by the operations below.
void listen(acceptor_impl& acceptor, listen_request what);
/// Listens on a socket of the worker's own.
void assign(acceptor_impl& acceptor, transport kind, socket_handle listening, error_code& ec);
void async_listen(acceptor_impl& acceptor, handler<void(error_code)> completion);
void async_accept(acceptor_impl& acceptor, handler<void(error_code, socket_handle)> completion);
endpoint local_endpoint(acceptor_impl const& acceptor, error_code& ec);
/// Where the acceptor listens or listened last, for the protocol of its connections.
endpoint const& last_endpoint(acceptor_impl const& acceptor) noexcept;
std::string const& failure(acceptor_impl const& acceptor) noexcept;
/// Opens an acceptor that was closed.
void open(acceptor_impl& acceptor);
void cancel(acceptor_impl& acceptor);
void close(acceptor_impl& acceptor);
void count_connection(acceptor_impl& acceptor);
/// May be called in any thread.
void end_connection(std::shared_ptr<acceptor_impl> const& acceptor);
std::uint64_t turned_away(acceptor_impl const& acceptor) noexcept;

template <class Endpoint>
Endpoint to_asio(endpoint const& from) {
  if constexpr (std::constructible_from<Endpoint, asio::ip::address, std::uint16_t>)
    return Endpoint(from.address, from.port);
  else
    return Endpoint(from.path);
}

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

}  // namespace prong::detail

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

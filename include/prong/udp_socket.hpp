// A worker's UDP socket: one bound socket that all workers share, each of which gets some of the
// datagrams; the system decides which. The primary binds it, and never reads from it. This is so on
// Windows too, where Node refuses it.
//
// Binding is a request, as with `acceptor`: its failure arrives at the first operation, or earlier
// by `async_bind`. With `exclusive` the worker has the address alone; with `reuse_port` the system
// spreads the senders over the workers, each of which then has a socket of its own.
//
// Threads: used on the worker's executor. Destruction: pending operations complete with
// `operation_aborted`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>
#include <prong/listen_options.hpp>
#include <prong/socket_handle.hpp>
#include <prong/worker.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace prong {

namespace detail {
class udp_impl;
}

class udp_socket {
 public:
  using executor_type = asio::any_io_executor;
  using protocol_type = asio::ip::udp;
  using endpoint_type = asio::ip::udp::endpoint;

  /// Not bound yet: `bind` or `assign` follows.
  explicit udp_socket(worker& owner);
  /// Asks for the address.
  udp_socket(worker& owner, endpoint_type const& where, listen_options settings = {});
  /// Asks for a socket that the primary has already.
  udp_socket(worker& owner, primary_socket from, listen_options settings = {});

  udp_socket(udp_socket&&) noexcept = default;
  udp_socket& operator=(udp_socket&& other) noexcept;
  ~udp_socket();

  executor_type get_executor() const;

  void bind(endpoint_type const& where, listen_options settings = {});
  /// Takes a bound native socket of the worker's own, and closes it on failure.
  void assign(socket_handle native, error_code& ec);
  void assign(socket_handle native);

  /// Completes when the socket is bound, or cannot be. Signature: void(error_code).
  /// Errors: the system's, as `address_in_use`; `operation_aborted` once the worker drains.
  /// `failure` says more. Cancellation: all kinds.
  template <class Token>
  auto async_bind(Token&& token) {
    return detail::initiate<void(error_code)>(
        std::forward<Token>(token), [this](auto completion) { start_bind(std::move(completion)); });
  }

  /// The address with its real port. `asio::error::not_connected` before it is known.
  endpoint_type local_endpoint(error_code& ec) const;
  endpoint_type local_endpoint() const;
  /// What went wrong last with binding, as "udp 127.0.0.1:53: Permission denied".
  std::string const& failure() const noexcept;

  /// The next datagram. Signature: void(error_code, std::size_t). `into` and `from`, which receives
  /// the sender's address, must outlive the operation. Several may wait.
  /// Errors: `message_size` if the datagram was longer than `into` and has lost its rest; those of
  /// binding; the system's, as `connection_refused` for an earlier send. Cancellation: all kinds;
  /// no datagram is lost.
  template <class Token>
  auto async_receive_from(asio::mutable_buffer into, endpoint_type& from, Token&& token) {
    return detail::initiate<void(error_code, std::size_t)>(
        std::forward<Token>(token),
        [this, into, &from](auto completion) { start_receive(into, from, std::move(completion)); });
  }

  /// Sends one datagram, from the shared address. Signature: void(error_code, std::size_t).
  /// It is sent at once, or not at all: `would_block` when the system has no room for it now,
  /// `not_connected` before the socket is bound.
  template <class Token>
  auto async_send_to(asio::const_buffer what, endpoint_type const& to, Token&& token) {
    return detail::initiate<void(error_code, std::size_t)>(
        std::forward<Token>(token),
        [this, what, to](auto completion) { start_send(what, to, std::move(completion)); });
  }

  /// Completes pending operations with `operation_aborted`; the socket stays bound.
  void cancel();
  void close();

 private:
  void start_bind(detail::handler<void(error_code)> completion);
  void start_receive(asio::mutable_buffer into, endpoint_type& from,
                     detail::handler<void(error_code, std::size_t)> completion);
  void start_send(asio::const_buffer what, endpoint_type const& to,
                  detail::handler<void(error_code, std::size_t)> completion);

  std::shared_ptr<detail::udp_impl> impl_;
};

}  // namespace prong

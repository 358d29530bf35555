// A worker's listening socket: `boost::asio::ip::tcp::acceptor` with a worker as the first
// argument. Whatever the scheduling, connections arrive as ordinary sockets of this process.
//
// Differences from Asio's acceptor: listening is a request to the primary, so that its failure
// arrives at the first `async_accept`, or earlier by `async_listen`, which also makes
// `local_endpoint` known; after a failure the next operation asks again. There is no synchronous
// `accept`. Workers that ask for the same endpoint share it; the n-th acceptor of each worker on
// port 0 shares one port. One worker gets `address_in_use` for an endpoint that it listens on.
//
// Threads: an acceptor belongs to its worker and is used on the worker's executor.
// Destruction: pending operations complete with `operation_aborted`; connections that no
// operation has taken go to other workers.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/accept.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/system_error.hpp>
#include <type_traits>

namespace prong {

template <class Protocol = asio::ip::tcp, class Executor = asio::any_io_executor>
class basic_acceptor {
 public:
  using executor_type = Executor;
  using protocol_type = Protocol;
  using endpoint_type = typename Protocol::endpoint;
  /// The same acceptor on another executor type.
  template <class Other>
  struct rebind_executor {
    using other = basic_acceptor<Protocol, Other>;
  };

  /// An acceptor that does not listen yet: `open`, `bind` and `listen` follow.
  explicit basic_acceptor(worker& owner) : basic_acceptor(Executor(owner.get_executor()), owner) {}
  /// Asks to listen on `endpoint`.
  basic_acceptor(worker& owner, endpoint_type const& endpoint, listen_options settings = {})
      : basic_acceptor(Executor(owner.get_executor()), owner, endpoint, settings) {}
  /// The same; connections and handlers use `executor` unless they have their own.
  basic_acceptor(Executor executor, worker& owner)
      : executor_(std::move(executor)), impl_(detail::make_acceptor(owner)) {}
  basic_acceptor(Executor executor, worker& owner, endpoint_type const& endpoint,
                 listen_options settings = {})
      : basic_acceptor(std::move(executor), owner) {
    settings_ = settings;
    endpoint_ = endpoint;
    open_ = true;
    detail::listen(*impl_, endpoint_, settings_);
  }

  basic_acceptor(basic_acceptor&&) noexcept = default;
  basic_acceptor& operator=(basic_acceptor&& other) noexcept {
    if (this != &other) {
      if (impl_) detail::close(*impl_);
      executor_ = std::move(other.executor_);
      impl_ = std::move(other.impl_);
      endpoint_ = other.endpoint_;
      settings_ = other.settings_;
      open_ = other.open_;
    }
    return *this;
  }
  ~basic_acceptor() {
    if (impl_) detail::close(*impl_);
  }

  executor_type get_executor() const noexcept { return executor_; }

  /// The steps of Asio's acceptor, for code that is written that way. `bind` only remembers.
  void open(protocol_type const& protocol) {
    endpoint_ = endpoint_type(protocol, 0);
    open_ = true;
    detail::open(*impl_);
  }
  void open(protocol_type const& protocol, error_code& ec) {
    ec.clear();
    open(protocol);
  }
  /// The primary always sets `reuse_address`; asking for it is allowed and changes nothing.
  /// Asking for it to be off is `errc::not_supported`.
  void set_option(asio::socket_base::reuse_address const& option, error_code& ec) {
    ec = option.value() ? error_code() : make_error_code(errc::not_supported);
  }
  void set_option(asio::socket_base::reuse_address const& option) {
    error_code ec;
    set_option(option, ec);
    if (ec) throw boost::system::system_error(ec, "set_option");
  }
  void bind(endpoint_type const& endpoint) { endpoint_ = endpoint; }
  void bind(endpoint_type const& endpoint, error_code& ec) {
    ec.clear();
    bind(endpoint);
  }
  void listen(int backlog = asio::socket_base::max_listen_connections) {
    settings_.backlog = backlog;
    detail::listen(*impl_, endpoint_, settings_);
  }
  void listen(int backlog, error_code& ec) {
    ec.clear();
    listen(backlog);
  }

  /// Completes when the acceptor listens, or cannot. Signature: void(error_code).
  /// Errors: the system's, as `address_in_use`. Cancellation: all kinds.
  template <class Token = asio::default_completion_token_t<executor_type>>
  auto async_listen(Token&& token = {}) {
    return detail::initiate<void(error_code)>(std::forward<Token>(token), [this](auto completion) {
      detail::async_listen(*impl_, std::move(completion));
    });
  }

  /// The endpoint with its real port. `asio::error::not_connected` before it is known.
  endpoint_type local_endpoint(error_code& ec) const { return detail::local_endpoint(*impl_, ec); }
  endpoint_type local_endpoint() const {
    error_code ec;
    auto const result = local_endpoint(ec);
    if (ec) throw boost::system::system_error(ec, "local_endpoint");
    return result;
  }
  bool is_open() const noexcept { return open_; }

  /// Completes pending operations with `operation_aborted`; the acceptor goes on listening.
  void cancel() { detail::cancel(*impl_); }
  void cancel(error_code& ec) {
    ec.clear();
    cancel();
  }
  /// Stops listening.
  void close() {
    open_ = false;
    detail::close(*impl_);
  }
  void close(error_code& ec) {
    ec.clear();
    close();
  }

  template <class SocketExecutor>
  using socket_of = typename Protocol::socket::template rebind_executor<SocketExecutor>::other;

  /// The next connection. Signature: void(error_code, socket).
  /// Errors: `operation_aborted` when cancelled, closed, or once the worker drains; those of
  /// listening. Several may wait. Cancellation: all kinds; no connection is lost.
  template <class Token = asio::default_completion_token_t<executor_type>>
  requires(!asio::execution::is_executor<std::decay_t<Token>>::value) auto async_accept(
      Token&& token = {}) {
    return start_move_accept(executor_, nullptr, std::forward<Token>(token));
  }
  /// The same; `from` receives the address of the client and must outlive the operation.
  template <class Token = asio::default_completion_token_t<executor_type>>
  auto async_accept(endpoint_type& from, Token&& token = {}) {
    return start_move_accept(executor_, &from, std::forward<Token>(token));
  }
  /// The same; the connection uses the executor `to`, such as `make_strand(context)`.
  template <class SocketExecutor, class Token = asio::default_completion_token_t<executor_type>>
  requires asio::execution::is_executor<SocketExecutor>::value auto async_accept(
      SocketExecutor const& to, Token&& token = {}) {
    return start_move_accept(to, nullptr, std::forward<Token>(token));
  }
  template <class SocketExecutor, class Token = asio::default_completion_token_t<executor_type>>
  requires asio::execution::is_executor<SocketExecutor>::value auto async_accept(
      SocketExecutor const& to, endpoint_type& from, Token&& token = {}) {
    return start_move_accept(to, &from, std::forward<Token>(token));
  }
  /// The same, into a closed socket, which must outlive the operation. Signature:
  /// void(error_code).
  template <class SocketExecutor, class Token = asio::default_completion_token_t<executor_type>>
  auto async_accept(asio::basic_socket<Protocol, SocketExecutor>& into, Token&& token = {}) {
    return start_accept_into(into, nullptr, std::forward<Token>(token));
  }
  template <class SocketExecutor, class Token = asio::default_completion_token_t<executor_type>>
  auto async_accept(asio::basic_socket<Protocol, SocketExecutor>& into, endpoint_type& from,
                    Token&& token = {}) {
    return start_accept_into(into, &from, std::forward<Token>(token));
  }

 private:
  /// Makes an accepted native socket the socket `into`, and asks for the client's address.
  template <class Socket>
  static void adopt(Socket& into, protocol_type const& protocol, endpoint_type* from,
                    detail::socket_handle connection, error_code& ec) {
    into.assign(protocol, connection.get(), ec);
    if (ec) return;
    connection.release();  // the socket owns it now
    if (from) *from = into.remote_endpoint(ec);
  }

  template <class SocketExecutor, class Token>
  auto start_move_accept(SocketExecutor const& to, endpoint_type* from, Token&& token) {
    using socket_type = socket_of<SocketExecutor>;
    return asio::async_initiate<Token, void(error_code, socket_type)>(
        [this, to, from](auto completion) {
          auto finish = [protocol = endpoint_.protocol(), to, from](
                            auto&& done, error_code ec, detail::socket_handle connection) {
            socket_type socket(to);
            if (!ec) adopt(socket, protocol, from, std::move(connection), ec);
            std::move(done)(ec, std::move(socket));
          };
          start(std::move(completion), std::move(finish));
        },
        token);
  }

  template <class Socket, class Token>
  auto start_accept_into(Socket& into, endpoint_type* from, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [this, &into, from](auto completion) {
          auto finish = [protocol = endpoint_.protocol(), &into, from](
                            auto&& done, error_code ec, detail::socket_handle connection) {
            if (!ec) adopt(into, protocol, from, std::move(connection), ec);
            std::move(done)(ec);
          };
          start(std::move(completion), std::move(finish));
        },
        token);
  }

  template <class Completion, class Finish>
  void start(Completion completion, Finish finish) {
    // The handler's own executor, or else the acceptor's, not the worker's.
    auto const handler_executor = asio::get_associated_executor(completion, executor_);
    detail::async_accept(
        *impl_, detail::handler<void(error_code, detail::socket_handle)>(asio::bind_executor(
                    handler_executor, detail::adopting_handler<Completion, Finish>{
                                          std::move(completion), std::move(finish)})));
  }

  Executor executor_;
  std::shared_ptr<detail::acceptor_impl> impl_;
  endpoint_type endpoint_{};
  listen_options settings_{};
  bool open_ = false;
};

using acceptor = basic_acceptor<>;

}  // namespace prong

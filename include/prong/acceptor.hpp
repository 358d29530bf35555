// A worker's listening socket: `boost::asio::ip::tcp::acceptor` with a worker as the first
// argument. Whatever the scheduling, connections arrive as ordinary sockets of this process.
//
// Differences from Asio's acceptor: listening is a request to the primary, so that its failure
// arrives at the first `async_accept`, or earlier by `async_listen`, which also makes
// `local_endpoint` known; after a failure the next operation asks again. There is no synchronous
// `accept`. Workers that ask for the same endpoint share it; the n-th acceptor of each worker on
// port 0 shares one port. One worker gets `address_in_use` for an endpoint that it listens on.
//
// A `local_acceptor` listens on a path (not on Windows: `errc::not_supported`). A relative path
// means the worker's working directory. A file that a process listens on gives `address_in_use`, as
// does one that is no socket; a socket's file that nobody listens on any more is replaced. The file
// is removed when the primary stops listening.
//
// Threads: an acceptor belongs to its worker and is used on the worker's executor.
// Destruction: pending operations complete with `operation_aborted`; connections that no
// operation has taken go to other workers.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/accept.hpp>
#include <prong/open_connection.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/system/system_error.hpp>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

namespace prong {

template <class Protocol = asio::ip::tcp, class Executor = asio::any_io_executor>
class basic_acceptor {
 public:
  using executor_type = Executor;
  using protocol_type = Protocol;
  using endpoint_type = typename Protocol::endpoint;
  /// Whether endpoints are addresses with ports, and not paths.
  static constexpr bool is_ip =
      std::constructible_from<endpoint_type, asio::ip::address, std::uint16_t>;
  /// The same acceptor on another executor type.
  template <class Other>
  struct rebind_executor {
    using other = basic_acceptor<Protocol, Other>;
  };

  /// Where to listen: whatever makes an endpoint of the protocol, or one of the others.
  class place {
   public:
    template <class... Args>
    requires std::constructible_from<endpoint_type, Args...> place(Args&&... args) {
      what_.where = endpoint_type(std::forward<Args>(args)...);
    }
    /// All addresses of this machine: [::] for both versions of IP, or 0.0.0.0 where IPv6 is not.
    place(std::uint16_t port) requires is_ip : place(endpoint_type(Protocol::v6(), port)) {
      what_.any_address = true;
    }
    /// A host's address: the first that is not link-local. The worker looks it up when it listens.
    place(std::string host, std::uint16_t port) requires is_ip
        : place(endpoint_type(Protocol::v4(), port)) {
      what_.host = std::move(host);
    }
    /// A socket that the primary has already.
    place(primary_socket from) {
      what_.where = endpoint_type();
      what_.from = std::move(from);
    }

   private:
    friend basic_acceptor;
    detail::listen_request what_{};
  };

  /// An acceptor that does not listen yet: `open`, `bind` and `listen` follow, or `assign`.
  explicit basic_acceptor(worker& owner) : basic_acceptor(Executor(owner.get_executor()), owner) {}
  /// Asks to listen on `where`.
  basic_acceptor(worker& owner, place where, listen_options settings = {})
      : basic_acceptor(Executor(owner.get_executor()), owner, std::move(where), settings) {}
  /// The same; connections and handlers use `executor` unless they have their own.
  basic_acceptor(Executor executor, worker& owner)
      : executor_(std::move(executor)), impl_(detail::make_acceptor(owner)) {}
  basic_acceptor(Executor executor, worker& owner, place where, listen_options settings = {})
      : basic_acceptor(std::move(executor), owner) {
    request_ = std::move(where.what_);
    request_.how = settings;
    open_ = true;
    detail::listen(*impl_, request_);
  }

  basic_acceptor(basic_acceptor&&) noexcept = default;
  basic_acceptor& operator=(basic_acceptor&& other) noexcept {
    if (this != &other) {
      if (impl_) detail::close(*impl_);
      executor_ = std::move(other.executor_);
      impl_ = std::move(other.impl_);
      request_ = std::move(other.request_);
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
    request_ = {};
    if constexpr (is_ip)
      request_.where = endpoint_type(protocol, 0);
    else
      request_.where = endpoint_type();
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
  void bind(endpoint_type const& endpoint) { request_.where = endpoint; }
  void bind(endpoint_type const& endpoint, error_code& ec) {
    ec.clear();
    bind(endpoint);
  }
  void listen(int backlog = asio::socket_base::max_listen_connections) {
    request_.how.backlog = backlog;
    detail::listen(*impl_, request_);
  }
  void listen(int backlog, error_code& ec) {
    ec.clear();
    listen(backlog);
  }

  /// Listens on a native socket that listens already, without asking the primary, which is told.
  /// The acceptor owns it from here on, and closes it on failure.
  void assign(protocol_type const&, typename protocol_type::socket::native_handle_type native,
              error_code& ec) {
    endpoint const kind{endpoint_type()};
    detail::assign(*impl_, kind.transport, socket_handle(static_cast<native_socket>(native)), ec);
    open_ = open_ || !ec;
  }
  void assign(protocol_type const& protocol,
              typename protocol_type::socket::native_handle_type native) {
    error_code ec;
    assign(protocol, native, ec);
    if (ec) throw boost::system::system_error(ec, "assign");
  }

  /// Completes when the acceptor listens, or cannot. Signature: void(error_code).
  /// Errors: the system's, as `address_in_use`; those of the resolver for a host's name;
  /// `operation_aborted` once the worker drains. `failure` says more. Cancellation: all kinds.
  template <class Token = asio::default_completion_token_t<executor_type>>
  auto async_listen(Token&& token = {}) {
    return detail::initiate<void(error_code)>(std::forward<Token>(token), [this](auto completion) {
      detail::async_listen(*impl_, std::move(completion));
    });
  }

  /// The endpoint with its real port. `asio::error::not_connected` before it is known.
  endpoint_type local_endpoint(error_code& ec) const {
    return detail::to_asio<endpoint_type>(detail::local_endpoint(*impl_, ec));
  }
  endpoint_type local_endpoint() const {
    error_code ec;
    auto const result = local_endpoint(ec);
    if (ec) throw boost::system::system_error(ec, "local_endpoint");
    return result;
  }
  bool is_open() const noexcept { return open_; }
  /// What went wrong last with listening, as "127.0.0.1:80: Permission denied"; empty if nothing.
  std::string const& failure() const noexcept { return detail::failure(*impl_); }

  /// Counts the connection that was accepted last as open, until the result is destroyed: take it
  /// in the accept's handler, and let it live beside the socket. `listen_options::max_connections`
  /// and `worker::async_disconnect` go by this count.
  open_connection count_connection() { return open_connection(impl_); }
  /// How many connections were closed at once because of `drop_max_connections`.
  std::uint64_t turned_away() const noexcept { return detail::turned_away(*impl_); }

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
  /// The same; `from` receives the address of the client, or none if the client has gone already,
  /// and must outlive the operation.
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

  /// The next connection, as a socket that Asio has not had: it can go to another process in a
  /// message on every system. Signature: void(error_code, socket_handle). Otherwise as
  /// `async_accept`.
  template <class Token = asio::default_completion_token_t<executor_type>>
  auto async_accept_handle(Token&& token = {}) {
    return start_accept_handle(nullptr, std::forward<Token>(token));
  }
  template <class Token = asio::default_completion_token_t<executor_type>>
  auto async_accept_handle(endpoint_type& from, Token&& token = {}) {
    return start_accept_handle(&from, std::forward<Token>(token));
  }

 private:
  /// Makes an accepted native socket the socket `into`, and asks for the client's address.
  template <class Socket>
  static void adopt(Socket& into, detail::acceptor_impl const& acceptor, endpoint_type* from,
                    socket_handle connection, error_code& ec) {
    auto const here = detail::to_asio<endpoint_type>(detail::last_endpoint(acceptor));
    if (from) *from = client_of(connection);
    assign_socket(into, here.protocol(), std::move(connection), ec);
  }

  /// A client that has gone already has no address any more; that is no failure to accept.
  static endpoint_type client_of(socket_handle const& connection) {
    endpoint_type result;
    auto const size = detail::remote_address(connection.get(), result.data(), result.capacity());
    if (size == 0) return {};
    result.resize(size);
    return result;
  }

  template <class SocketExecutor, class Token>
  auto start_move_accept(SocketExecutor const& to, endpoint_type* from, Token&& token) {
    using socket_type = socket_of<SocketExecutor>;
    return asio::async_initiate<Token, void(error_code, socket_type)>(
        [this, to, from](auto completion) {
          auto finish = [impl = impl_, to, from](auto&& done, error_code ec,
                                                 socket_handle connection) {
            socket_type socket(to);
            if (!ec) adopt(socket, *impl, from, std::move(connection), ec);
            std::forward<decltype(done)>(done)(ec, std::move(socket));
          };
          start(std::move(completion), std::move(finish));
        },
        token);
  }

  template <class Socket, class Token>
  auto start_accept_into(Socket& into, endpoint_type* from, Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [this, &into, from](auto completion) {
          auto finish = [impl = impl_, &into, from](auto&& done, error_code ec,
                                                    socket_handle connection) {
            if (!ec) adopt(into, *impl, from, std::move(connection), ec);
            std::forward<decltype(done)>(done)(ec);
          };
          start(std::move(completion), std::move(finish));
        },
        token);
  }

  template <class Token>
  auto start_accept_handle(endpoint_type* from, Token&& token) {
    return asio::async_initiate<Token, void(error_code, socket_handle)>(
        [this, from](auto completion) {
          auto finish = [from](auto&& done, error_code ec, socket_handle connection) {
            if (!ec && from) *from = client_of(connection);
            std::forward<decltype(done)>(done)(ec, std::move(connection));
          };
          this->start(std::move(completion), std::move(finish));
        },
        token);
  }

  template <class Completion, class Finish>
  void start(Completion completion, Finish finish) {
    using erased = detail::handler<void(error_code, socket_handle)>;
    // The handler's own executor, or else the acceptor's, not the worker's.
    auto const handler_executor = asio::get_associated_executor(completion, executor_);
    detail::adopting_handler<Completion, Finish> adopting{std::move(completion), std::move(finish)};
    // An executor that is bound is looked at for each connection, which costs allocations.
    if constexpr (std::is_same_v<decltype(handler_executor), asio::any_io_executor const>)
      if (handler_executor == detail::executor_of(*impl_))
        return detail::async_accept(*impl_, erased(std::move(adopting)));
    detail::async_accept(*impl_,
                         erased(asio::bind_executor(handler_executor, std::move(adopting))));
  }

  Executor executor_;
  std::shared_ptr<detail::acceptor_impl> impl_;
  detail::listen_request request_{};
  bool open_ = false;
};

using acceptor = basic_acceptor<>;
using local_acceptor = basic_acceptor<asio::local::stream_protocol>;

}  // namespace prong

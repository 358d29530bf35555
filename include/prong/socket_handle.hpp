// A socket outside any event loop: how it travels in a message, and how it leaves Asio and comes
// back to it.
//
//   prong::message gift("client", name, prong::release_socket(connection));
//   ...
//   tcp::socket connection(context);
//   prong::assign_socket(connection, tcp::v4(), std::move(gift.socket));
//
// Any socket can travel: connected, listening, UDP. On POSIX it does not matter whether Asio had
// it before, and several processes may use it at once. On Windows a socket that Asio uses belongs
// to the completion port of that process, and so do all handles of it elsewhere: of the processes
// that have it, one can use it with Asio. `release_socket` undoes that on Windows 8.1 and later;
// where the system cannot (Wine 8), it reports `operation_not_supported`, and the socket stays
// where it is, usable. A socket that Asio never had can always be sent: one that the program made
// by the system's own calls, one that came in a message and was not assigned, and a connection of
// `acceptor::async_accept_handle`.
//
// Threads: distinct objects may be used at the same time, one object may not.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/native_socket.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

namespace prong {

/// Owns one native socket, and closes it once.
class socket_handle {
 public:
  socket_handle() = default;
  explicit socket_handle(native_socket native) noexcept : native_(native) {}
  socket_handle(socket_handle&& other) noexcept : native_(other.release()) {}
  socket_handle& operator=(socket_handle&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~socket_handle() { reset(); }

  explicit operator bool() const noexcept { return native_ != detail::no_socket; }
  native_socket get() const noexcept { return native_; }
  /// Gives the socket to the caller, who closes it.
  native_socket release() noexcept { return std::exchange(native_, detail::no_socket); }
  /// Closes the socket, and owns another, or none.
  void reset(native_socket native = detail::no_socket) noexcept {
    if (native_ != detail::no_socket) detail::close_native_socket(native_);
    native_ = native;
  }

 private:
  native_socket native_ = detail::no_socket;
};

/// Takes the socket out of a socket or an acceptor of Asio, which is closed then. Its pending
/// operations complete with `operation_aborted`, also where this fails.
/// Errors: `bad_descriptor` if it is not open; `operation_not_supported` where Windows cannot take
/// it from its completion port. On failure the result is empty, and `from` keeps its socket.
template <class AsioSocket>
socket_handle release_socket(AsioSocket& from, boost::system::error_code& ec) {
  if (!from.is_open()) {
    ec = boost::asio::error::bad_descriptor;
    return {};
  }
  auto const native = from.release(ec);
  return ec ? socket_handle() : socket_handle(native);
}
/// The same; an exception instead of `ec`.
template <class AsioSocket>
socket_handle release_socket(AsioSocket& from) {
  boost::system::error_code ec;
  auto result = release_socket(from, ec);
  if (ec) throw boost::system::system_error(ec, "prong::release_socket");
  return result;
}

/// Makes the socket that of `to`, a closed socket or acceptor of Asio for this protocol.
/// Errors: `already_open`, or the system's. On failure `from` keeps its socket.
template <class AsioSocket>
void assign_socket(AsioSocket& to, typename AsioSocket::protocol_type const& protocol,
                   socket_handle&& from, boost::system::error_code& ec) {
  to.assign(protocol, from.get(), ec);
  if (!ec) from.release();  // it is owned there now
}
/// The same; an exception instead of `ec`.
template <class AsioSocket>
void assign_socket(AsioSocket& to, typename AsioSocket::protocol_type const& protocol,
                   socket_handle&& from) {
  boost::system::error_code ec;
  assign_socket(to, protocol, std::move(from), ec);
  if (ec) throw boost::system::system_error(ec, "prong::assign_socket");
}

}  // namespace prong

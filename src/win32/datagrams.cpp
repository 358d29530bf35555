// The bound UDP socket that several processes share. Each takes one datagram ahead of `receive`.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/datagrams.hpp"

#include "win32/bound_socket.hpp"
#include "win32/event_socket.hpp"
#include "win32/given_socket.hpp"

#include <mswsock.h>
#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <cstring>
#include <vector>

// Not in all headers yet.
#if !defined(SIO_UDP_CONNRESET)
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#endif

namespace prong::os {
namespace {

using win32::last_socket_error;

constexpr std::size_t longest = 65535;

// That somebody to whom we sent does not listen is no reason to fail a receive.
void forget_refused_sends(native_socket socket) noexcept {
  BOOL report = FALSE;
  DWORD size = 0;
  ::WSAIoctl(socket, SIO_UDP_CONNRESET, &report, sizeof report, nullptr, 0, &size, nullptr,
             nullptr);
}

// A datagram, or the wait for one.
struct slot {
  win32::event_operation operation;
  std::vector<char> bytes = std::vector<char>(longest);
  sockaddr_storage from{};
  int from_size = sizeof from;
  DWORD flags = 0;
};

}  // namespace

class datagrams::impl {
 public:
  impl(asio::any_io_executor const& executor, socket bound, error_code& ec)
      : socket_(executor, std::move(bound), ec) {
    if (!ec) forget_refused_sends(socket_.native());
  }
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() { cancel(); }

  win32::event_socket const& shared() const noexcept { return socket_; }
  void cancel() noexcept { socket_.cancel(slots_); }

  void async_wait(detail::handler<void(error_code)> completion) {
    auto& one = slots_.front();
    socket_.expect();
    if (!one.operation.started && !failure_) failure_ = start(one);
    socket_.async_wait(failure_ || one.operation.is_over(), std::move(completion));
  }

  // The slot with a datagram, and its size.
  slot* take(std::size_t& size, error_code& ec) noexcept {
    auto& one = slots_.front();
    ec = std::exchange(failure_, {});
    if (!ec && !one.operation.is_over()) ec = asio::error::would_block;
    if (ec) return nullptr;
    DWORD received = 0;
    DWORD const error = one.operation.finish(socket_.native(), received);
    size = received;
    if (error == ERROR_OPERATION_ABORTED)
      ec = asio::error::would_block;
    else if (error != ERROR_SUCCESS)
      ec = win32::system_error(error);
    return ec ? nullptr : &one;
  }

 private:
  error_code start(slot& one) noexcept {
    WSABUF buffer{static_cast<ULONG>(one.bytes.size()), one.bytes.data()};
    one.flags = 0;
    one.from_size = sizeof one.from;
    auto* const operation = socket_.start(one.operation);
    return one.operation.on_started(::WSARecvFrom(socket_.native(), &buffer, 1, nullptr, &one.flags,
                                                  reinterpret_cast<sockaddr*>(&one.from),
                                                  &one.from_size, operation, nullptr) == 0);
  }

  win32::event_socket socket_;
  std::array<slot, 1> slots_;
  error_code failure_;  // why it could not be started
};

datagrams::datagrams(asio::any_io_executor executor, detail::listen_request const& request,
                     error_code& ec) {
  ec.clear();
  auto made = request.from ? win32::take_given(*request.from, SOCK_DGRAM, ec)
                           : win32::bind_socket(request, SOCK_DGRAM, ec);
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(made), ec);
}

datagrams::datagrams(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  auto const type = win32::option_of(adopted.get(), SO_TYPE, ec);
  if (!ec && type != SOCK_DGRAM) ec = asio::error::invalid_argument;
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(adopted), ec);
}

datagrams::datagrams(datagrams&&) noexcept = default;
datagrams& datagrams::operator=(datagrams&&) noexcept = default;
datagrams::~datagrams() = default;

endpoint datagrams::local_endpoint() const {
  return impl_->shared().local_endpoint();
}

socket datagrams::duplicate(error_code& ec) const {
  ec.clear();
  return impl_->shared().duplicate(ec);
}

void datagrams::async_wait(detail::handler<void(error_code)> completion) {
  impl_->async_wait(std::move(completion));
}

std::size_t datagrams::receive(std::span<std::byte> into, asio::ip::udp::endpoint& from,
                               error_code& ec) {
  std::size_t size = 0;
  auto const* const taken = impl_->take(size, ec);
  if (taken == nullptr) return 0;
  from.resize(static_cast<std::size_t>(taken->from_size));
  std::memcpy(from.data(), &taken->from, from.size());
  if (size > into.size()) ec = asio::error::message_size;
  size = std::min(size, into.size());
  std::memcpy(into.data(), taken->bytes.data(), size);
  return size;
}

void datagrams::send(std::span<std::byte const> what, asio::ip::udp::endpoint const& to,
                     error_code& ec) {
  ec.clear();
  if (::sendto(impl_->shared().native(), reinterpret_cast<char const*>(what.data()),
               static_cast<int>(what.size()), 0, to.data(),
               static_cast<int>(to.size())) == SOCKET_ERROR) {
    ec = last_socket_error();
  }
}

void datagrams::cancel() noexcept {
  impl_->cancel();
}

}  // namespace prong::os

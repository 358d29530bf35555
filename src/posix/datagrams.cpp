// The bound UDP socket that several processes share.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/datagrams.hpp"

#include "posix/bound_socket.hpp"
#include "posix/calls.hpp"
#include "posix/given_socket.hpp"
#include "posix/shared_socket.hpp"

#include <boost/asio/error.hpp>

namespace prong::os {

using posix::last_error;

class datagrams::impl : public posix::shared_socket {
 public:
  using shared_socket::shared_socket;
};

datagrams::datagrams(asio::any_io_executor executor, detail::listen_request const& request,
                     error_code& ec) {
  ec.clear();
  auto fd = request.from ? posix::take_given(*request.from, SOCK_DGRAM, ec)
                         : posix::bind_socket(request, SOCK_DGRAM, ec);
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(fd), ec);
}

datagrams::datagrams(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  int const type = posix::option_of(adopted.get(), SO_TYPE, ec);
  if (!ec && type != SOCK_DGRAM) ec = asio::error::invalid_argument;
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(adopted), ec);
}

datagrams::datagrams(datagrams&&) noexcept = default;
datagrams& datagrams::operator=(datagrams&&) noexcept = default;
datagrams::~datagrams() = default;

endpoint datagrams::local_endpoint() const {
  return impl_->local_endpoint();
}

socket datagrams::duplicate(error_code& ec) const {
  ec.clear();
  return impl_->duplicate(ec);
}

void datagrams::async_wait(detail::handler<void(error_code)> completion) {
  impl_->async_wait(std::move(completion));
}

std::size_t datagrams::receive(std::span<std::byte> into, asio::ip::udp::endpoint& from,
                               error_code& ec) {
  ec.clear();
  if (impl_->cancelled()) {
    ec = asio::error::would_block;
    return 0;
  }
  iovec bytes{into.data(), into.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_name = from.data();
  message.msg_namelen = static_cast<socklen_t>(from.capacity());
  auto const size = posix::retry([&] { return ::recvmsg(impl_->native(), &message, 0); });
  if (size == -1) {
    ec = last_error();
    return 0;
  }
  from.resize(message.msg_namelen);
  if ((message.msg_flags & MSG_TRUNC) != 0) ec = asio::error::message_size;
  return static_cast<std::size_t>(size);
}

void datagrams::send(std::span<std::byte const> what, asio::ip::udp::endpoint const& to,
                     error_code& ec) {
  ec.clear();
  auto const sent = posix::retry([&] {
    return ::sendto(impl_->native(), what.data(), what.size(), posix::send_flags, to.data(),
                    static_cast<socklen_t>(to.size()));
  });
  if (sent == -1) ec = last_error();
}

void datagrams::cancel() noexcept {
  impl_->cancel();
}

}  // namespace prong::os

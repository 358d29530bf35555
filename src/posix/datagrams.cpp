// The bound UDP socket that several processes share.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/datagrams.hpp"

#include "posix/bound_socket.hpp"
#include "posix/calls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace prong::os {

using posix::last_error;
using posix::unique_fd;

class datagrams::impl {
 public:
  impl(asio::any_io_executor const& executor, unique_fd fd, error_code& ec)
      : descriptor_(executor) {
    descriptor_.assign(fd.get(), ec);
    if (!ec) fd.release();
  }

  int native() { return descriptor_.native_handle(); }

  asio::posix::stream_descriptor descriptor_;
  bool cancelled_ = false;
};

datagrams::datagrams(asio::any_io_executor executor, detail::listen_request const& request,
                     error_code& ec) {
  ec.clear();
  auto fd = posix::bind_socket(request, SOCK_DGRAM, ec);
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(fd), ec);
}

datagrams::datagrams(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  int type = 0;
  socklen_t size = sizeof type;
  if (!posix::set_non_blocking(adopted.get()) ||
      ::getsockopt(adopted.get(), SOL_SOCKET, SO_TYPE, &type, &size) == -1) {
    ec = last_error();
  } else if (type != SOCK_DGRAM) {
    ec = asio::error::invalid_argument;
  } else {
    impl_ = std::make_unique<impl>(executor, std::move(adopted), ec);
  }
}

datagrams::datagrams(datagrams&&) noexcept = default;
datagrams& datagrams::operator=(datagrams&&) noexcept = default;
datagrams::~datagrams() = default;

endpoint datagrams::local_endpoint() const {
  asio::ip::udp::endpoint result;
  auto size = static_cast<socklen_t>(result.capacity());
  if (::getsockname(impl_->native(), result.data(), &size) == 0) result.resize(size);
  return result;
}

socket datagrams::duplicate(error_code& ec) const {
  ec.clear();
  return posix::duplicate_above(impl_->native(), 0, ec);
}

void datagrams::async_wait(detail::handler<void(error_code)> completion) {
  impl_->cancelled_ = false;
  impl_->descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, std::move(completion));
}

std::size_t datagrams::receive(std::span<std::byte> into, asio::ip::udp::endpoint& from,
                               error_code& ec) {
  ec.clear();
  if (impl_->cancelled_) {
    ec = asio::error::would_block;  // nothing was taken ahead of this call
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
  impl_->cancelled_ = true;
  error_code ignored;
  impl_->descriptor_.cancel(ignored);
}

}  // namespace prong::os

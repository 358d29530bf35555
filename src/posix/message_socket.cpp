// One sendmsg and one recvmsg of the channel.
// SPDX-License-Identifier: BSL-1.0
#include "posix/message_socket.hpp"

#include "posix/calls.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

namespace prong::posix {
namespace {

// The most that Linux lets travel with one message (SCM_MAX_FD): enough for what another program
// may send to the channel, so that it is received, and closed, rather than cut off unseen.
constexpr std::size_t most_descriptors = 253;
// How many we send with one: a batch that large saves all that can be saved.
constexpr std::size_t most_together = 64;

using control_size = decltype(msghdr::msg_controllen);

ssize_t send_piece(int fd, std::span<std::byte const> bytes,
                   std::span<os::native_socket const> attached) noexcept {
  iovec data{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_together)];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!attached.empty()) {
    message.msg_control = control;
    message.msg_controllen = static_cast<control_size>(CMSG_SPACE(attached.size_bytes()));
    std::memset(control, 0, message.msg_controllen);
    auto* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = static_cast<control_size>(CMSG_LEN(attached.size_bytes()));
    std::memcpy(CMSG_DATA(part), attached.data(), attached.size_bytes());
  }
  return retry([&] { return ::sendmsg(fd, &message, send_flags); });
}

error_code would_block_or(int error) noexcept {
  if (error == EAGAIN || error == EWOULDBLOCK) return asio::error::would_block;
  if (error == EPIPE || error == ECONNRESET) return asio::error::eof;
  return system_error(error);
}

// Returns how many descriptors there were.
std::size_t take_descriptors(msghdr& message, std::deque<os::socket>& into) {
  std::size_t taken = 0;
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    std::size_t const count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i, ++taken) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      into.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

void outbound::begin_piece() noexcept {
  std::byte* first = nullptr;  // the frame whose socket is the first of the piece
  while (piece_ < bytes_.size()) {
    auto* const at = bytes_.data() + piece_;
    auto const header =
        wire::frame_header::decode(std::span<std::byte, wire::header_size>(at, wire::header_size));
    if ((header.flags & wire::carries_socket) != 0) {
      if (together_ == most_together) break;
      if (together_++ == 0) first = at;
    }
    piece_ += wire::header_size + header.length;
  }
  if (first == nullptr) return;
  std::span<std::byte, wire::header_size> const place(first, wire::header_size);
  auto header = wire::frame_header::decode(place);
  header.flags = static_cast<std::uint16_t>(wire::carries_socket | together_ << wire::count_at);
  header.encode(place);
}

error_code outbound::send_to(int fd) noexcept {
  while (!bytes_.empty()) {
    if (piece_ == 0) begin_piece();
    auto const sent = send_piece(fd, bytes_.first(piece_), sockets_.first(together_));
    if (sent == -1) return would_block_or(errno);
    sockets_ = sockets_.subspan(together_);
    together_ = 0;
    bytes_ = bytes_.subspan(static_cast<std::size_t>(sent));
    piece_ -= static_cast<std::size_t>(sent);
  }
  return {};
}

bool arrivals::begin_message(std::size_t count) {
  if (counts_.empty() || counts_.front() > count) return false;
  // What the system dropped were the last ones.
  auto const arrived = static_cast<std::ptrdiff_t>(counts_.front());
  counts_.pop_front();
  for (auto missing = static_cast<std::ptrdiff_t>(count) - arrived; missing > 0; --missing)
    sockets_.emplace(sockets_.begin() + arrived);
  return true;
}

os::socket arrivals::take() {
  auto first = std::move(sockets_.front());
  sockets_.pop_front();
  return first;
}

std::size_t receive_from(int fd, std::span<std::byte> into, arrivals& sockets,
                         error_code& ec) noexcept {
  iovec data{into.data(), into.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto const received = receive_message(fd, message);
  if (received == -1) {
    ec = would_block_or(errno);
    return 0;
  }
  // When this process has no number free for a descriptor, the kernel drops it and those behind it,
  // and says so. Their frames are paired with empty sockets (C11).
  auto const count = take_descriptors(message, sockets.sockets_);
  if (count > 0 || (message.msg_flags & MSG_CTRUNC) != 0) sockets.counts_.push_back(count);
  return static_cast<std::size_t>(received);
}

}  // namespace prong::posix

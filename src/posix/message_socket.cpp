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

ssize_t send_piece(int fd, std::span<std::byte const> bytes, int const* attached) noexcept {
  iovec data{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (attached != nullptr) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), attached, sizeof(int));
  }
  return retry([&] { return ::sendmsg(fd, &message, send_flags); });
}

error_code would_block_or(int error) noexcept {
  if (error == EAGAIN || error == EWOULDBLOCK) return asio::error::would_block;
  if (error == EPIPE || error == ECONNRESET) return asio::error::eof;
  return system_error(error);
}

// Returns how many descriptors there were.
std::size_t take_descriptors(msghdr& message, arrivals& sockets) {
  std::size_t taken = 0;
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    std::size_t const count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i, ++taken) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      sockets.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

outbound::piece outbound::next() const noexcept {
  piece result;
  std::size_t end = begun_;
  while (end < bytes_.size()) {
    auto const header = wire::frame_header::decode(bytes_.subspan(end).first<wire::header_size>());
    if ((header.flags & wire::carries_socket) != 0) {
      if (end != 0) break;
      result.with_socket = true;
    }
    end += wire::header_size + header.length;
  }
  result.bytes = bytes_.first(end);
  return result;
}

void outbound::advance(piece const& current, std::size_t sent) noexcept {
  if (current.with_socket) sockets_ = sockets_.subspan(1);
  std::size_t end = begun_;  // of the last frame that was begun
  while (end < sent) {
    auto const header = wire::frame_header::decode(bytes_.subspan(end).first<wire::header_size>());
    end += wire::header_size + header.length;
  }
  begun_ = end - sent;
  bytes_ = bytes_.subspan(sent);
}

error_code outbound::send_to(int fd) noexcept {
  while (!bytes_.empty()) {
    auto const current = next();
    auto const sent =
        send_piece(fd, current.bytes, current.with_socket ? &sockets_.front() : nullptr);
    if (sent == -1) return would_block_or(errno);
    advance(current, static_cast<std::size_t>(sent));
  }
  return {};
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
  // When this process has no number free for a descriptor, the kernel drops it and says so. A
  // channel sends one with a message, so if none came, exactly one was lost: its frame is paired
  // with an empty socket (C11). Had one come, nothing of ours was lost.
  if (take_descriptors(message, sockets) == 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
    sockets.emplace_back();
  }
  return static_cast<std::size_t>(received);
}

}  // namespace prong::posix

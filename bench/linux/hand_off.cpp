// The bare hand-off: accept4, sendmsg with SCM_RIGHTS, close.
// SPDX-License-Identifier: BSL-1.0
#include "linux/hand_off.hpp"

#include "linux/processes.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace bench {
namespace {

constexpr std::size_t most_at_once = 64;  // connections a wake-up, and so in a message

/// A message of one byte, with room for descriptors.
struct packet {
  packet() {
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  packet(packet const&) = delete;
  packet& operator=(packet const&) = delete;

  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_at_once * sizeof(int))> control{};
  msghdr header{};
};

void send_connections(int channel, std::vector<int> const& connections) {
  packet what;
  auto const size = connections.size() * sizeof(int);
  what.header.msg_controllen = CMSG_SPACE(size);
  auto* const rights = CMSG_FIRSTHDR(&what.header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(rights), connections.data(), size);
  checked(static_cast<int>(sendmsg(channel, &what.header, MSG_NOSIGNAL)), "sendmsg");
}

}  // namespace

void hand_off_all(int listener, std::vector<int> const& channels) {
  std::vector<std::vector<int>> given(channels.size());
  std::size_t next = 0;
  while (wait_for(listener)) {
    for (std::size_t i = 0; i < most_at_once; ++i) {
      int const client = accept_from(listener);
      if (client < 0) break;
      given[next].push_back(client);
      next = (next + 1) % channels.size();
    }
    for (std::size_t i = 0; i < channels.size(); ++i) {
      if (given[i].empty()) continue;
      send_connections(channels[i], given[i]);
      for (int const each : given[i]) close(each);
      given[i].clear();
    }
  }
}

std::size_t receive_connections(int channel, std::vector<int>& into) {
  packet what;
  into.clear();
  if (recvmsg(channel, &what.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) return 0;
  auto* const rights = CMSG_FIRSTHDR(&what.header);
  if (rights == nullptr) return 0;
  into.resize((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  std::memcpy(into.data(), CMSG_DATA(rights), into.size() * sizeof(int));
  return into.size();
}

}  // namespace bench

// Accepting connections with AcceptEx, some of them ahead of time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "win32/event_socket.hpp"

#include <mswsock.h>
#include <array>
#include <cstddef>
#include <vector>

namespace prong::win32 {

class accepting {
 public:
  /// `ahead`: how many connections are taken before `take` asks for them.
  accepting(asio::any_io_executor const& executor, os::socket listening, std::size_t ahead,
            error_code& ec);
  accepting(accepting const&) = delete;
  accepting& operator=(accepting const&) = delete;
  ~accepting();

  event_socket const& listening() const noexcept { return listening_; }

  /// Takes connections ahead; completes when `take` is worth a call.
  void async_wait(detail::handler<void(error_code)> completion);
  /// A connection that was taken; `would_block` if there is none.
  os::socket take(error_code& ec) noexcept;
  /// Ends the wait, and takes no more connections. When this returns, `take` has those that were
  /// taken by then.
  void cancel() noexcept { listening_.cancel(slots_); }

 private:
  struct slot {
    event_operation operation;
    os::socket connection;
    // What the system writes, and nobody reads: the socket knows both addresses itself.
    std::array<std::byte, 2 * (sizeof(sockaddr_storage) + 16)> addresses;
  };

  error_code start(slot& one) noexcept;
  bool finish(slot& one, error_code& ec) noexcept;

  event_socket listening_;
  LPFN_ACCEPTEX accept_ex_ = nullptr;
  std::vector<slot> slots_;
  error_code failure_;  // why a slot could not be started, until `take` has said so
};

}  // namespace prong::win32

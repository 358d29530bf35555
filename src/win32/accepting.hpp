// Accepting connections with AcceptEx, some of them ahead of time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"
#include "win32/handle.hpp"

#include <prong/detail/async.hpp>

#include <mswsock.h>
#include <array>
#include <boost/asio/windows/object_handle.hpp>
#include <cstddef>
#include <vector>

namespace prong::win32 {

/// A TCP socket for overlapped operations that no program we start inherits.
os::socket open_stream_socket(int family, error_code& ec) noexcept;

class accepting {
 public:
  /// `ahead`: how many connections are taken before `take` asks for them.
  accepting(asio::any_io_executor const& executor, os::socket listening, std::size_t ahead,
            error_code& ec);
  accepting(accepting const&) = delete;
  accepting& operator=(accepting const&) = delete;
  ~accepting();

  os::native_socket native() const noexcept { return listening_.get(); }

  /// Takes connections ahead; completes when `take` is worth a call.
  void async_wait(detail::handler<void(error_code)> completion);
  /// A connection that was taken; `would_block` if there is none.
  os::socket take(error_code& ec) noexcept;
  /// Ends the wait, and takes no more connections. When this returns, `take` has those that were
  /// taken by then.
  void cancel() noexcept;

 private:
  // One AcceptEx. Its place in memory is the system's as long as it is pending.
  struct slot {
    OVERLAPPED operation{};
    os::socket connection;
    bool started = false;
    // What the system writes, and nobody reads: the socket knows both addresses itself.
    std::array<std::byte, 2 * (sizeof(sockaddr_storage) + 16)> addresses;
  };

  error_code start(slot& one) noexcept;
  bool finish(slot& one, error_code& ec) noexcept;
  static bool is_pending(slot const& one) noexcept;
  static bool is_over(slot const& one) noexcept { return one.started && !is_pending(one); }

  os::socket listening_;
  int family_ = AF_UNSPEC;
  LPFN_ACCEPTEX accept_ex_ = nullptr;
  asio::windows::object_handle happened_;  // an event: some slot is over
  std::vector<slot> slots_;
  error_code failure_;  // why a slot could not be started, until `take` has said so
};

}  // namespace prong::win32

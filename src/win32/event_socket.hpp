// A socket that several processes share. Its operations tell by an event that they are over, never
// by a completion port: a socket can belong to one only, and that could be another process's.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"
#include "win32/handle.hpp"
#include "win32/transfer.hpp"

#include <prong/detail/async.hpp>
#include <prong/endpoint.hpp>

#include <algorithm>
#include <boost/asio/windows/object_handle.hpp>

namespace prong::win32 {

/// One overlapped operation. Its place in memory is the system's as long as it is pending.
struct event_operation {
  OVERLAPPED system{};
  bool started = false;

  bool is_pending() const noexcept;
  bool is_over() const noexcept { return started && !is_pending(); }
  /// For the result of the call that was to start it.
  error_code on_started(bool done) noexcept;
  /// Of one that is over: what it has come to. It can be started again.
  DWORD finish(os::native_socket socket, DWORD& transferred) noexcept;
};

/// An option of SOL_SOCKET that is a number.
DWORD option_of(os::native_socket socket, int name, error_code& ec) noexcept;

class event_socket {
 public:
  event_socket(asio::any_io_executor const& executor, os::socket shared, error_code& ec);

  os::native_socket native() const noexcept { return socket_.get(); }
  int family() const noexcept { return family_; }
  endpoint local_endpoint() const;
  os::socket duplicate(error_code& ec) const noexcept { return duplicate_socket(native(), ec); }

  /// Before operations are started: then look for those that are over at once, and wait.
  void expect() noexcept { ::ResetEvent(event_.native_handle()); }
  OVERLAPPED* start(event_operation& one) noexcept;
  void async_wait(bool is_over_already, detail::handler<void(error_code)> completion);

  /// Ends the wait and the operations. When this returns, all are over; those that were complete
  /// by then have their results. `each.operation` is an event_operation.
  template <class Range>
  void cancel(Range& all) noexcept {
    if (!event_.is_open()) return;
    error_code ignored;
    event_.cancel(ignored);
    auto const pending = [](auto const& each) { return each.operation.is_pending(); };
    for (auto& each : all) {
      if (pending(each)) ::CancelIoEx(reinterpret_cast<HANDLE>(native()), &each.operation.system);
    }
    while (std::ranges::any_of(all, pending)) {
      ::WaitForSingleObject(event_.native_handle(), INFINITE);
      ::ResetEvent(event_.native_handle());  // it may be of long ago: look, then wait again
    }
  }

 private:
  os::socket socket_;
  int family_ = AF_UNSPEC;
  asio::windows::object_handle event_;
};

}  // namespace prong::win32

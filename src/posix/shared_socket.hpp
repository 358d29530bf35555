// A socket that several processes may share, and what listeners and UDP sockets do alike with it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <prong/detail/async.hpp>
#include <prong/endpoint.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace prong::posix {

/// An option of SOL_SOCKET that is a number.
int option_of(int socket, int name, error_code& ec) noexcept;

class shared_socket {
 public:
  shared_socket(asio::any_io_executor const& executor, unique_fd shared, error_code& ec);

  int native() { return descriptor_.native_handle(); }
  endpoint local_endpoint();
  unique_fd duplicate(error_code& ec) { return duplicate_above(native(), 0, ec); }

  /// Completes when there is something to take.
  void async_wait(detail::handler<void(error_code)> completion);
  /// After this, and until the next wait, nothing must be taken (C12): all of it is in the queue.
  void cancel() noexcept;
  bool cancelled() const noexcept { return cancelled_; }

 private:
  // The destructor of an assigned descriptor takes it out of the epoll set before closing it. That
  // matters: closing alone would leave it there for as long as another process shares the socket.
  asio::posix::stream_descriptor descriptor_;
  bool cancelled_ = false;
};

}  // namespace prong::posix

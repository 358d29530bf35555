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
  shared_socket(shared_socket const&) = delete;
  shared_socket& operator=(shared_socket const&) = delete;
  ~shared_socket();

  int native() const noexcept { return socket_.get(); }
  endpoint local_endpoint();
  unique_fd duplicate(error_code& ec) { return duplicate_above(native(), 0, ec); }

  /// Completes when there is something to take.
  void async_wait(detail::handler<void(error_code)> completion);
  /// After this, and until the next wait, nothing must be taken (C12): all of it is in the queue.
  void cancel() noexcept;
  bool cancelled() const noexcept { return cancelled_; }

 private:
  void stop_watching() noexcept;

  unique_fd socket_;
  // Has the socket from the first wait until a cancel: a process that only keeps the socket for
  // others is not woken by what comes. It must be out of the epoll set before the socket is closed,
  // or would stay there for as long as another process shares it.
  asio::posix::stream_descriptor readable_;
  bool cancelled_ = false;
};

}  // namespace prong::posix

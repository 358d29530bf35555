// The system calls that Linux has and POSIX has not, each with what stands in for it elsewhere.
// Building with PRONG_NO_LINUX_CALLS takes the stand-ins on Linux too, so that they are tested.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <sys/socket.h>
#include <sys/types.h>
#include <array>
#include <boost/asio/ip/tcp.hpp>

namespace prong::posix {

#if defined(__linux__) && !defined(PRONG_NO_LINUX_CALLS)
/// The kernel ends a worker when its primary has ended (PR_SET_PDEATHSIG). Elsewhere a worker
/// watches a lifeline: a pipe whose other end only the primary holds.
inline constexpr bool kernel_ends_orphans = true;
#else
inline constexpr bool kernel_ends_orphans = false;
#endif

#if defined(MSG_NOSIGNAL)
inline constexpr int send_flags = MSG_NOSIGNAL;
#else
inline constexpr int send_flags = 0;  // the socket has SO_NOSIGPIPE instead
#endif

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

// All descriptors from here on are close-on-exec, and all sockets non-blocking.

unique_fd open_socket(int family, int type, error_code& ec) noexcept;
std::array<unique_fd, 2> open_socket_pair(error_code& ec) noexcept;
pipe_ends open_pipe(error_code& ec) noexcept;  // blocking
/// Nameless memory that can be mapped by whoever has the descriptor, of no size yet. `errno` says
/// why the result is empty.
unique_fd open_memory() noexcept;
/// From here on the memory keeps its size, where the system can see to that: a worker that made it
/// smaller would end its primary.
bool seal_memory(int fd) noexcept;
/// One try; `errno` says why the result is empty. `from` as for os::listener.
unique_fd accept_connection(int listening, asio::ip::tcp::endpoint* from) noexcept;
/// recvmsg, by which descriptors may arrive.
ssize_t receive_message(int fd, msghdr& into) noexcept;

/// Becomes readable, for good, when this child of ours has ended. To be called by a thread that
/// blocks all signals: where there is no pidfd, it starts a thread that waits.
unique_fd open_exit_descriptor(pid_t child, error_code& ec);

/// `environ`, which a shared library cannot name on macOS.
char** variables_of_process() noexcept;

/// Asks the kernel to kill this process when the thread that started it ends. Returns false if
/// `parent` has ended already. Async-signal-safe.
bool end_with_parent(pid_t parent) noexcept;
/// Marks every descriptor from `first` on as close-on-exec. Async-signal-safe.
void close_on_exec_from(int first) noexcept;

}  // namespace prong::posix

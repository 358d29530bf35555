// The system calls that Linux has and POSIX has not, and what stands in for them.
// SPDX-License-Identifier: BSL-1.0
#include "posix/calls.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstring>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#if defined(__APPLE__)
#include <crt_externs.h>
#else
extern char** environ;
#endif

// Some BSDs have the flags that Linux invented for sockets and pipes, macOS has none of them.
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK) && !defined(PRONG_NO_LINUX_CALLS)
#define PRONG_FLAGS_AT_CREATION 1
#else
#define PRONG_FLAGS_AT_CREATION 0
#endif

namespace prong::posix {
namespace {

// Without MSG_NOSIGNAL a socket must be told that writing to a closed peer is no reason to die.
void refuse_sigpipe([[maybe_unused]] int fd) noexcept {
#if defined(SO_NOSIGPIPE)
  int const on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

#if !PRONG_FLAGS_AT_CREATION
// A program that another thread starts between creation and this call inherits the descriptor;
// these systems offer nothing against it.
void set_socket_flags(unique_fd& fd) noexcept {
  if (!fd) return;
  if (!set_close_on_exec(fd.get()) || !set_non_blocking(fd.get())) {
    int const why = errno;
    fd.reset();
    errno = why;
  }
}
#endif

unique_fd open_pidfd([[maybe_unused]] pid_t child) noexcept {
#if defined(SYS_pidfd_open) && !defined(PRONG_NO_LINUX_CALLS)
  return unique_fd{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
#else
  return {};
#endif
}

// Leaves the child to be reaped by its owner, who alone knows when its number must not be used
// any more (C8). Closing the pipe is the signal.
void wait_without_reaping(pid_t child, unique_fd signal) noexcept {
  siginfo_t info{};
  retry([&] { return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT); });
  signal.reset();
}

}  // namespace

unique_fd open_socket(int family, int type, error_code& ec) noexcept {
#if PRONG_FLAGS_AT_CREATION
  unique_fd fd{::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
#else
  unique_fd fd{::socket(family, type, 0)};
  set_socket_flags(fd);
#endif
  if (!fd) ec = last_error();
  return fd;
}

std::array<unique_fd, 2> open_socket_pair(error_code& ec) noexcept {
  int type = SOCK_STREAM;
#if PRONG_FLAGS_AT_CREATION
  type |= SOCK_CLOEXEC | SOCK_NONBLOCK;
#endif
  int fds[2];
  if (::socketpair(AF_UNIX, type, 0, fds) == -1) {
    ec = last_error();
    return {};
  }
  std::array<unique_fd, 2> ends{unique_fd{fds[0]}, unique_fd{fds[1]}};
  for (auto& end : ends) {
#if !PRONG_FLAGS_AT_CREATION
    set_socket_flags(end);
    if (!end) ec = last_error();
#endif
    refuse_sigpipe(end.get());
  }
  return ends;
}

pipe_ends open_pipe(error_code& ec) noexcept {
  int fds[2];
#if PRONG_FLAGS_AT_CREATION
  if (::pipe2(fds, O_CLOEXEC) == -1) {
#else
  if (::pipe(fds) == -1) {
#endif
    ec = last_error();
    return {};
  }
  pipe_ends ends{unique_fd{fds[0]}, unique_fd{fds[1]}};
#if !PRONG_FLAGS_AT_CREATION
  if (!set_close_on_exec(fds[0]) || !set_close_on_exec(fds[1])) ec = last_error();
#endif
  return ends;
}

unique_fd accept_connection(int listening, asio::ip::tcp::endpoint* from) noexcept {
  sockaddr* const name = from ? from->data() : nullptr;
  auto size = static_cast<socklen_t>(from ? from->capacity() : 0);
#if PRONG_FLAGS_AT_CREATION
  unique_fd fd{::accept4(listening, name, from ? &size : nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
#else
  unique_fd fd{::accept(listening, name, from ? &size : nullptr)};
  set_socket_flags(fd);
#endif
  if (fd) refuse_sigpipe(fd.get());
  bool const is_ip =
      size > 0 && name && (name->sa_family == AF_INET || name->sa_family == AF_INET6);
  if (from && !(fd && is_ip)) *from = {};
  return fd;
}

unique_fd open_memory() noexcept {
#if defined(MFD_ALLOW_SEALING) && !defined(PRONG_NO_LINUX_CALLS)
  return unique_fd{::memfd_create("prong", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
#else
  // The name lives for a moment; whoever has it already was not we.
  auto const name = "/prong-" + std::to_string(::getpid()) + '-' +
                    std::to_string(std::random_device()() % 1'000'000);
  unique_fd fd{::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR)};
  if (fd) ::shm_unlink(name.c_str());
  if (fd && !set_close_on_exec(fd.get())) fd.reset();
  return fd;
#endif
}

bool seal_memory([[maybe_unused]] int fd) noexcept {
#if defined(MFD_ALLOW_SEALING) && !defined(PRONG_NO_LINUX_CALLS)
  return ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != -1;
#else
  return true;
#endif
}

ssize_t receive_message(int fd, msghdr& into) noexcept {
#if defined(MSG_CMSG_CLOEXEC) && !defined(PRONG_NO_LINUX_CALLS)
  return retry([&] { return ::recvmsg(fd, &into, MSG_CMSG_CLOEXEC); });
#else
  ssize_t const received = retry([&] { return ::recvmsg(fd, &into, 0); });
  if (received == -1) return received;
  for (auto* part = CMSG_FIRSTHDR(&into); part != nullptr; part = CMSG_NXTHDR(&into, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t at = CMSG_LEN(0); at + sizeof(int) <= part->cmsg_len; at += sizeof(int)) {
      int arrived;
      std::memcpy(&arrived, CMSG_DATA(part) + (at - CMSG_LEN(0)), sizeof arrived);
      set_close_on_exec(arrived);
    }
  }
  return received;
#endif
}

unique_fd open_exit_descriptor(pid_t child, error_code& ec) {
  if (auto fd = open_pidfd(child)) return fd;
  auto [read, write] = open_pipe(ec);
  if (ec) return {};
  try {
    std::thread(wait_without_reaping, child, std::move(write)).detach();
  } catch (std::system_error const& failure) {
    ec = failure.code();
    return {};
  }
  return std::move(read);
}

char** variables_of_process() noexcept {
#if defined(__APPLE__)
  return *::_NSGetEnviron();
#else
  return environ;
#endif
}

bool end_with_parent([[maybe_unused]] pid_t parent) noexcept {
#if defined(__linux__) && !defined(PRONG_NO_LINUX_CALLS)
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  return ::getppid() == parent;
}

void close_on_exec_from(int first) noexcept {
#if defined(SYS_close_range) && !defined(PRONG_NO_LINUX_CALLS)
  constexpr unsigned close_range_cloexec = 4;  // newer than some systems' headers
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0u, close_range_cloexec) == 0) {
    return;
  }
#endif
  // Where the limit is in the millions, nobody uses the numbers at its end, and trying them all
  // would take seconds.
  constexpr long most = 65536;
  long const limit = ::sysconf(_SC_OPEN_MAX);
  int const end = static_cast<int>(limit < 0 || limit > most ? most : limit);
  for (int fd = first; fd < end; ++fd) set_close_on_exec(fd);
}

}  // namespace prong::posix

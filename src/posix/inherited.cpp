// The worker's end of the channel, and the worker's end when its primary ends (C10).
// SPDX-License-Identifier: BSL-1.0
#include "common/os/process.hpp"
#include "posix/calls.hpp"
#include "posix/channel.hpp"
#include "posix/launch.hpp"
#include "posix/variables.hpp"

#include <prong/error.hpp>

#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <thread>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

namespace prong::posix {
namespace {

// How long a worker has to end by itself after its primary has.
constexpr auto grace = std::chrono::milliseconds(500);

bool is_channel(int fd) noexcept {
  sockaddr_storage name{};
  socklen_t name_size = sizeof name;
  int type = 0;
  socklen_t type_size = sizeof type;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &name_size) == 0 &&
         name.ss_family == AF_UNIX &&
         ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 && type == SOCK_STREAM;
}

// Linux forgets the wish to end with the parent when it executes a program that has capabilities,
// as a server for port 80 may. It is renewed where the primary is the parent, and not some program
// in between whose threads may come and go.
void renew_end_with_parent([[maybe_unused]] int channel) noexcept {
#if defined(__linux__) && !defined(PRONG_NO_LINUX_CALLS)
  int signal = 0;
  ucred primary{};
  socklen_t size = sizeof primary;
  if (::prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == 0 &&
      ::getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &primary, &size) == 0 &&
      primary.pid == ::getppid()) {
    end_with_parent(primary.pid);
  }
#endif
}

// Ends this process when the other end of the lifeline is closed, which is when the primary has
// ended: the channel would not do, because a worker that drains closes it and lives on.
void watch(unique_fd lifeline) {
  auto const wait = [](unique_fd const& end) {
    char nothing;
    retry([&] { return ::read(end.get(), &nothing, sizeof nothing); });
    std::this_thread::sleep_for(grace);
    ::_exit(1);
  };
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(wait, std::move(lifeline)).detach();
  } catch (std::system_error const&) {
    // Then the end of the channel is the only notice that this worker gets.
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace prong::posix

prong::os::channel prong::os::channel::inherited(asio::any_io_executor executor, error_code& ec) {
  ec.clear();
  auto end = posix::take_descriptor(channel_variable);
  auto mailbox = posix::take_descriptor(posix::mailbox_variable);
  auto lifeline = posix::take_descriptor(posix::lifeline_variable);
  ::unsetenv(worker_id_variable);
  if (!end || !posix::is_channel(end.get()) || !posix::set_close_on_exec(end.get()) ||
      !posix::set_non_blocking(end.get()) || !mailbox) {
    end.release();  // whatever these are, they are not ours to close
    mailbox.release();
    lifeline.release();
    ec = errc::not_a_worker;
  } else {
    posix::renew_end_with_parent(end.get());
    if (lifeline && posix::set_close_on_exec(lifeline.get())) posix::watch(std::move(lifeline));
  }
  return posix::open_channel(std::move(executor), std::move(end), mailbox.get(), os::side::worker,
                             ec);
}

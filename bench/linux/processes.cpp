// Processes and sockets for the baselines.
// SPDX-License-Identifier: BSL-1.0
#include "linux/processes.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

namespace bench {
namespace {

sockaddr* generic(sockaddr_in& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

/// What a worker does, in its process.
[[noreturn]] void run_worker(workers::worker_body const& body, std::size_t number, int channel) {
  int status = 0;
  try {
    body(number, channel, [channel] { checked(static_cast<int>(write(channel, "", 1)), "write"); });
  } catch (std::exception const& error) {
    std::fprintf(stderr, "bench_server: %s\n", error.what());
    status = 1;
  }
  _exit(status);
}

}  // namespace

int checked(int result, char const* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

int bound_socket(std::uint16_t port, bool reuse_port) {
  int const result =
      checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  int const yes = 1;
  if (reuse_port)
    checked(setsockopt(result, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), "setsockopt");
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(bind(result, generic(where), sizeof(where)), "bind");
  return result;
}

void start_listening(int socket) {
  checked(listen(socket, SOMAXCONN), "listen");
}

std::uint16_t port_of(int socket) {
  sockaddr_in where{};
  socklen_t size = sizeof(where);
  checked(getsockname(socket, generic(where), &size), "getsockname");
  return ntohs(where.sin_port);
}

int accept_from(int listener) {
  return accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

workers::workers(std::size_t count, worker_body const& body) {
  auto const primary = getpid();
  for (std::size_t i = 0; i < count; ++i) {
    std::array<int, 2> pair{};
    checked(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), "socketpair");
    auto const process = checked(fork(), "fork");
    if (process == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != primary) _exit(1);  // it ended before it could be said
      for (int const each : channels_) close(each);
      close(pair[0]);
      run_worker(body, i, pair[1]);
    }
    close(pair[1]);
    processes_.push_back(process);
    channels_.push_back(pair[0]);
  }
  for (int const each : channels_) {
    char ready = 0;
    if (read(each, &ready, 1) != 1) throw std::runtime_error("a worker did not start");
  }
}

workers::~workers() {
  for (auto const each : processes_) kill(each, SIGKILL);
  for (auto const each : processes_) waitpid(each, nullptr, 0);
}

bool wait_for(int readable) {
  std::array<pollfd, 2> what{{{STDIN_FILENO, POLLIN, 0}, {readable, POLLIN, 0}}};
  for (;;) {
    checked(poll(what.data(), what.size(), -1), "poll");
    char unread = 0;
    if (what[0].revents != 0 && read(STDIN_FILENO, &unread, 1) <= 0) return false;
    if (what[1].revents != 0) return true;
  }
}

void wait_for_end() {
  wait_for(-1);
}

}  // namespace bench

// What tests ask of the operating system, on POSIX.
// SPDX-License-Identifier: BSL-1.0
#include "support/system.hpp"

#include "common/os/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <cstddef>
#endif

namespace prong::test {
namespace {

int descriptor_in(char const* variable) {
  char const* const text = std::getenv(variable);
  return text != nullptr ? std::atoi(text) : -1;
}

bound_socket bind_socket(int type) {
  bound_socket made;
  made.socket.reset(::socket(AF_INET, type, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const address = reinterpret_cast<sockaddr*>(&where);
  socklen_t size = sizeof where;
  if (!made.socket || ::bind(made.socket.get(), address, size) != 0 ||
      ::getsockname(made.socket.get(), address, &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "bind_socket");
  }
  made.port = ntohs(where.sin_port);
  return made;
}

}  // namespace

std::vector<int> open_handles() {
  std::vector<int> result;
  int const end = static_cast<int>(std::min(::sysconf(_SC_OPEN_MAX), 65536L));
  for (int fd = 0; fd < end; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) result.push_back(fd);
  }
  return result;
}

std::vector<int> expected_worker_handles() {
  std::vector<int> result{0, 1, 2, descriptor_in("PRONG_CHANNEL"), descriptor_in("PRONG_MAILBOX")};
  if (int const lifeline = descriptor_in("PRONG_LIFELINE"); lifeline != -1) {
    result.push_back(lifeline);
  }
  return result;
}

bool has_child() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void reap_abandoned() {
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) continue;
}

bound_socket listening_socket() {
  auto made = bind_socket(SOCK_STREAM);
  if (::listen(made.socket.get(), SOMAXCONN) != 0)
    throw std::system_error(errno, std::generic_category(), "listen");
  return made;
}

bound_socket datagram_socket() {
  return bind_socket(SOCK_DGRAM);
}

bool lets_sockets_go() {
  return true;
}

socket_handle accept_from(native_socket listener) {
  return socket_handle(::accept(listener, nullptr, nullptr));
}

bool write_byte(native_socket to, char byte) {
  return ::write(to, &byte, 1) == 1;
}

bool divides_among_sockets() {
#if defined(__linux__) || defined(SO_REUSEPORT_LB)
  return true;
#else
  return false;
#endif
}

bool has_abstract_names() {
#if defined(__linux__)
  return true;
#else
  return false;
#endif
}

bool refuse_ipv6() {
#if defined(__linux__)
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog const all{static_cast<unsigned short>(std::size(rules)), rules};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
#else
  return false;
#endif
}

bool ends_get_lost() {
  return false;
}

bool stop_child(process_id child) {
  auto const pid = static_cast<pid_t>(child);
  siginfo_t info{};
  return ::kill(pid, SIGSTOP) == 0 &&
         ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOWAIT) == 0;
}

std::filesystem::path running_program() {
  char const* const link = "/proc/self/exe";
  if (std::filesystem::exists(link)) return link;
  error_code ec;
  return os::this_program(ec).executable;
}

void replace_program(std::filesystem::path const& by, std::filesystem::path const& at) {
  std::filesystem::rename(by, at);
}

void remove_program(std::filesystem::path const& at) {
  std::filesystem::remove(at);
}

int run_in_shell(std::string const& command) {
  return std::system(command.c_str());
}

std::string what_processes_do() {
  std::string text;
  auto const tell = [&text](std::string const& process) {
    for (auto const* file : {"comm", "wchan", "syscall", "stack"}) {
      std::ifstream from("/proc/" + process + '/' + file);
      std::string const what{std::istreambuf_iterator<char>(from), {}};
      if (!what.empty()) text += process + ' ' + file + ": " + what + '\n';
    }
  };
  tell(std::to_string(::getpid()));
  // Workers are started from a thread of their own, and are listed there.
  std::error_code ignored;
  for (auto const& thread : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream children(thread.path() / "children");
    for (std::string each; children >> each;) tell(each);
  }
  return text;
}

std::vector<std::string> signal_settings() {
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  std::vector<std::string> all;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) != 0) continue;
    auto const bytes = reinterpret_cast<char const*>(&now.sa_handler);
    all.emplace_back(bytes, sizeof now.sa_handler);
    all.back() += sigismember(&blocked, number) == 1 ? " blocked" : " not blocked";
  }
  return all;
}

bool may_change_user() {
  return ::geteuid() == 0;
}

std::string who_runs_this() {
  return std::to_string(::getuid()) + ' ' + std::to_string(::getgid()) + ' ' +
         std::to_string(::getgroups(0, nullptr));
}

// Systems differ in the type of the size.
template <class Size>
static void set_groups(int (*call)(Size, gid_t const*), std::vector<unsigned> const& groups) {
  call(static_cast<Size>(groups.size()), groups.data());
}

supplementary_group::supplementary_group()
    : before_(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0))) {
  ::getgroups(static_cast<int>(before_.size()), before_.data());
  gid_t const one = another_user;
  ::setgroups(1, &one);
}

supplementary_group::~supplementary_group() {
  set_groups(&::setgroups, before_);
}

bool has_console_window() {
  return false;
}

ignored_children::ignored_children() {
  std::signal(SIGCHLD, SIG_IGN);
}

ignored_children::~ignored_children() {
  std::signal(SIGCHLD, SIG_DFL);
}

void ask_to_terminate() {
  ::kill(::getpid(), SIGTERM);
}

void set_variable(std::string const& name, std::string const& value) {
  ::setenv(name.c_str(), value.c_str(), 1);
}

void remove_variable(std::string const& name) {
  ::unsetenv(name.c_str());
}

no_free_handles::no_free_handles() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  before_ = limit.rlim_cur;
  // The lowest free number: everything from there on is forbidden.
  int const lowest = ::fcntl(0, F_DUPFD, 0);
  ::close(lowest);
  limit.rlim_cur = static_cast<rlim_t>(lowest);
  limited_ = ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

no_free_handles::~no_free_handles() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = before_;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void write_to_channel(std::span<std::byte const> bytes) {
  int const fd = descriptor_in("PRONG_CHANNEL");
  if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("cannot write to the channel");
  }
}

void hold_channel_in_grandchild() {
  // Of POLLHUP macOS speaks only when asked; others always do.
  pollfd channel{descriptor_in("PRONG_CHANNEL"), POLLHUP, 0};
  if (::fork() != 0) return;
  while (::poll(&channel, 1, -1) != 1) continue;
  ::_exit(0);
}

}  // namespace prong::test

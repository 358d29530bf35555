// fork and exec of one program. Written by hand, because Boost.Process v2 of 1.81 runs the parent's
// exit handlers in a child whose exec failed, never reaps it, and resets no signals.
// SPDX-License-Identifier: BSL-1.0
#include "posix/launch.hpp"

#include "posix/calls.hpp"
#include "posix/listen_fds.hpp"
#include "posix/notify.hpp"
#include "posix/turns_memory.hpp"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <boost/asio/error.hpp>
#include <csignal>
#include <map>

namespace prong::posix {
namespace {

using variables = std::map<std::string, std::string>;

variables own_environment() {
  variables result;
  for (char** entry = variables_of_process(); entry != nullptr && *entry != nullptr; ++entry) {
    std::string const text = *entry;
    auto const equals = text.find('=');
    if (equals != std::string::npos)
      result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  // A worker may be a primary as well; who it is, is not its workers' affair. Nor is a supervisor,
  // who wants to hear of one process and gave sockets to it: the primary.
  for (auto const* own :
       {os::worker_id_variable, os::channel_variable, os::turns_variable, mailbox_variable,
        lifeline_variable, notify_socket_variable, watchdog_time_variable, watchdog_pid_variable,
        listen_pid_variable, listen_fds_variable, listen_names_variable}) {
    result.erase(own);
  }
  return result;
}

bool can_be_passed(os::program const& what) {
  auto const whole = [](std::string const& text) { return text.find('\0') == std::string::npos; };
  return whole(what.executable.native()) && whole(what.working_directory.native()) &&
         std::ranges::all_of(what.arguments, whole) &&
         std::ranges::all_of(what.environment, [&](auto const& variable) {
           auto const& [name, value] = variable;
           return !name.empty() && name.find('=') == std::string::npos && whole(name) &&
                  whole(value);
         });
}

// From here to execve only async-signal-safe calls are allowed: another thread of the primary may
// have held any lock at the moment of the fork.

void reset_signals() noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &by_default, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A primary may run without standard input, output or error. If a file of the worker got such a
// number, whatever prints would write into it. If one of prong has it here, exec closes it.
bool ensure_standard_streams() noexcept {
  for (int fd = 0; fd <= 2; ++fd) {
    int const flags = ::fcntl(fd, F_GETFD);
    if (flags != -1 && (flags & FD_CLOEXEC) == 0) continue;
    int const null = ::open("/dev/null", O_RDWR);
    if (null == -1) return false;
    if (null != fd && (::dup2(null, fd) == -1 || ::close(null) == -1)) return false;
  }
  return true;
}

void reap(pid_t child) noexcept {
  retry([&] { return ::waitpid(child, nullptr, 0); });
}

}  // namespace

launch::launch(os::program const& what, int lifeline, error_code& ec)
    : working_directory_(what.working_directory.native()),
      user_(what.user),
      group_(what.group),
      turns_(what.turns ? what.turns->backend().fd.get() : -1),
      lifeline_(lifeline) {
  if (!can_be_passed(what)) {
    ec = asio::error::invalid_argument;
    return;
  }
  auto environment = own_environment();
  for (auto const& [name, value] : what.environment) environment[name] = value;
  environment[os::channel_variable] = std::to_string(channel_fd);
  environment[mailbox_variable] = std::to_string(mailbox_fd);
  if (turns_ != -1) environment[os::turns_variable] = std::to_string(turns_fd);
  if (lifeline != -1) environment[lifeline_variable] = std::to_string(lifeline_fd);

  texts_.push_back(what.executable.native());
  texts_.insert(texts_.end(), what.arguments.begin(), what.arguments.end());
  auto const arguments = static_cast<std::ptrdiff_t>(texts_.size());
  for (auto const& [name, value] : environment) {
    auto& text = texts_.emplace_back(name);
    text += '=';
    text += value;
  }

  auto const data = [](std::string& text) { return text.data(); };
  auto const middle = texts_.begin() + arguments;
  std::transform(texts_.begin(), middle, std::back_inserter(arguments_), data);
  std::transform(middle, texts_.end(), std::back_inserter(environment_), data);
  arguments_.push_back(nullptr);
  environment_.push_back(nullptr);
}

pid_t launch::start(worker_ends const& ends, standard_streams const& streams,
                    error_code& ec) const {
  auto report = open_pipe(ec);
  if (ec) return 0;
  auto report_end = duplicate_above(report.write.get(), lifeline_fd + 1, ec);
  if (ec) return 0;
  pid_t const parent = ::getpid();
  pid_t const child = ::fork();
  if (child == -1) {
    ec = last_error();
    return 0;
  }
  if (child == 0) become(ends, streams, report_end.get(), parent);

  // Exec closes the child's end, so nothing to read means that the program runs.
  report.write.reset();
  report_end.reset();
  int why = 0;
  auto const count = retry([&] { return ::read(report.read.get(), &why, sizeof why); });
  if (count == 0) return child;
  reap(child);
  ec = system_error(count == sizeof why ? why : EIO);
  return 0;
}

void launch::become(worker_ends const& ends, standard_streams const& streams, int report,
                    pid_t parent) const noexcept {
  // A group of its own: a Ctrl-C at the terminal is the primary's to handle.
  ::setpgid(0, 0);
  reset_signals();
  bool const ready = place(ends, streams) &&
                     (working_directory_.empty() || ::chdir(working_directory_.c_str()) == 0) &&
                     change_user();
  if (ready) {
    // Not earlier: the system forgets this wish when the user changes.
    if (!end_with_parent(parent)) ::_exit(1);
    ::execve(arguments_.front(), arguments_.data(), environment_.data());
  }
  int const why = errno;
  [[maybe_unused]] auto const written = ::write(report, &why, sizeof why);
  ::_exit(127);
}

// Gives each descriptor the number that the worker expects it to have; no other is left to it.
bool launch::place(worker_ends const& ends, standard_streams const& streams) const noexcept {
  for (int number = 0; number <= 2; ++number) {
    auto const& stream = streams[static_cast<std::size_t>(number)];
    if (stream && ::dup2(stream.get(), number) == -1) return false;
  }
  if (!ensure_standard_streams()) return false;
  close_on_exec_from(channel_fd);
  auto const place = [](int fd, int number) { return fd == -1 || ::dup2(fd, number) != -1; };
  return place(ends.channel.get(), channel_fd) && place(ends.mailbox.get(), mailbox_fd) &&
         place(turns_, turns_fd) && place(lifeline_, lifeline_fd);
}

// The groups first: who is no longer root could not give up root's. Who never was one has none to
// give up, and is refused the rest if it is anything new.
bool launch::change_user() const noexcept {
  if (!user_ && !group_) return true;
  if (::setgroups(0, nullptr) == -1 && ::geteuid() == 0) return false;
  return (!group_ || ::setgid(*group_) == 0) && (!user_ || ::setuid(*user_) == 0);
}

}  // namespace prong::posix

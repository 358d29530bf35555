// The host of a primary on POSIX: signals ask, and systemd hears, if it is there.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/host.hpp"

#include "common/os/clock.hpp"
#include "posix/notify.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace prong::os {
namespace {

// systemd says which stream it has connected to the journal, because a program may pass the
// variable on to others whose standard error is something else.
bool is_journal(int fd) {
  char const* const journal = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  return journal != nullptr && ::fstat(fd, &file) == 0 &&
         journal == fmt::format("{}:{}", file.st_dev, file.st_ino);
}

}  // namespace

class host::impl : public std::enable_shared_from_this<impl> {
 public:
  impl(asio::any_io_executor const& executor, host_requests requests, error_code& ec)
      : requests_(std::move(requests)), signals_(executor), watchdog_(executor), notify_(ec) {
    if (auto const why = std::exchange(ec, {})) complain("cannot be used", why);
    for (int const each : {SIGINT, SIGTERM, SIGHUP}) {
      signals_.add(each, ec);
      if (ec) return;
    }
  }

  void start() {
    wait_for_signal();
    auto const time = posix::watchdog_time();
    // Half of the time, as sd_watchdog_enabled(3) advises.
    if (notify_ && time) feed_watchdog(std::max(*time / 2, std::chrono::microseconds(1'000)));
  }

  void close() {
    requests_ = {};
    error_code ignored;
    signals_.cancel(ignored);
    watchdog_.cancel();
  }

  void tell(std::string const& lines) {
    if (!notify_) return;
    error_code ec;
    // Who did not listen once is not waited for again.
    notify_.send(lines, !complained_, ec);
    if (ec) complain("does not answer", ec);
  }

  void log(log_level level, std::string_view text) const {
    // What journald takes for the severity: debug, informational, warning, error.
    constexpr int severities[] = {7, 6, 4, 3};
    auto const line = to_journal_
                          ? fmt::format("<{}>{}\n", severities[static_cast<int>(level)], text)
                          : fmt::format("{}\n", text);
    std::fputs(line.c_str(), stderr);
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([weak = weak_from_this()](error_code ec, int signal) {
      auto const self = weak.lock();
      if (!self || ec) return;
      if (auto const& ask = signal == SIGHUP ? self->requests_.reload : self->requests_.stop) ask();
      self->wait_for_signal();
    });
  }

  void feed_watchdog(std::chrono::microseconds interval) {
    tell("WATCHDOG=1");
    auto on_time = [weak = weak_from_this(), interval](error_code ec) {
      auto const self = weak.lock();
      if (self && !ec) self->feed_watchdog(interval);
    };
    watchdog_.async_wait_for(interval, detail::handler<void(error_code)>(std::move(on_time)));
  }

  // Once, and not with every beat of the watchdog.
  void complain(std::string_view what, error_code why) {
    if (std::exchange(complained_, true)) return;
    log(log_level::warning,
        fmt::format("{}={} {}: {}", posix::notify_socket_variable,
                    std::getenv(posix::notify_socket_variable), what, why.message()));
  }

  host_requests requests_;
  asio::signal_set signals_;
  os::timer watchdog_;
  posix::notify_socket notify_;
  bool const to_journal_ = is_journal(STDERR_FILENO);
  bool complained_ = false;
};

host::host(asio::any_io_executor executor, host_requests requests, error_code& ec) {
  ec.clear();
  impl_ = std::make_shared<impl>(executor, std::move(requests), ec);
  if (!ec) impl_->start();
}
host::~host() {
  impl_->close();
}

std::vector<std::string> host::start_arguments() const {
  return {};
}

void host::ready() {
  impl_->tell("READY=1");
}
void host::reloading() {
  impl_->tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", posix::monotonic_time().count()));
}
void host::stopping() {
  impl_->tell("STOPPING=1");
}
void host::progress(duration at_most) {
  impl_->tell(fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::microseconds(at_most).count()));
}
void host::stopped(error_code) {
  impl_->close();  // the exit status says the rest
}
void host::status(std::string_view text) {
  impl_->tell(fmt::format("STATUS={}", text));
}
void host::log(log_level level, std::string_view text) {
  impl_->log(level, text);
}

}  // namespace prong::os

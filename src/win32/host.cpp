// The host of a primary on Windows: the service control manager if it started this process, and the
// console otherwise.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/host.hpp"

#include "win32/service.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <mutex>

namespace prong::os {
namespace {

// What a console tells its programs arrives on a thread of the system, in a function that knows of
// no object of ours: hence the global one, which is empty unless a console is watched.
std::mutex console_guard;
std::function<void()> on_console_end;

// Ctrl-C and Ctrl-Break are signals in C as well, and Asio has them; these three are not.
BOOL WINAPI console_control(DWORD what) {
  if (what != CTRL_CLOSE_EVENT && what != CTRL_LOGOFF_EVENT && what != CTRL_SHUTDOWN_EVENT)
    return FALSE;
  {
    std::lock_guard const lock(console_guard);
    if (!on_console_end) return FALSE;
    on_console_end();
  }
  // The system ends the process when this function returns, or after some seconds in it. The
  // program's own end is better, and needs no more than that nothing happens here.
  ::Sleep(INFINITE);
  return TRUE;
}

}  // namespace

class host::impl : public std::enable_shared_from_this<impl> {
 public:
  impl(asio::any_io_executor executor, host_requests requests)
      : executor_(std::move(executor)), requests_(std::move(requests)), signals_(executor_) {}

  void start(error_code& ec) {
    service_ = win32::service::connect(
        [weak = weak_from_this()](DWORD control) {
          auto const self = weak.lock();
          if (!self) return;
          self->ask(control == win32::status_control         ? &host_requests::status
                    : control == SERVICE_CONTROL_PARAMCHANGE ? &host_requests::reload
                                                             : &host_requests::stop);
        },
        ec);
    if (!ec && !service_) watch_console(ec);
  }

  /// No request comes any more, and nothing keeps the context running.
  void close() {
    requests_ = {};
    error_code ignored;
    signals_.cancel(ignored);
  }

  /// Not left to the destructor, which might run on a thread of the system.
  void end() {
    close();
    service_.reset();
    std::lock_guard const lock(console_guard);
    on_console_end = nullptr;
  }

  /// From any thread.
  void ask(std::function<void()> host_requests::*what) {
    asio::post(executor_, [weak = weak_from_this(), what] {
      auto const self = weak.lock();
      if (self && self->requests_.*what) (self->requests_.*what)();
    });
  }

  win32::service* as_service() const noexcept { return service_.get(); }

 private:
  void watch_console(error_code& ec) {
    for (int const each : {SIGINT, SIGTERM, SIGBREAK}) {
      signals_.add(each, ec);
      if (ec) return;
    }
    wait_for_signal();
    {
      std::lock_guard const lock(console_guard);
      on_console_end = [this] { ask(&host_requests::stop); };
    }
    // It stays for good, because to remove it would have to wait for it if it was called.
    [[maybe_unused]] static bool const is_told = ::SetConsoleCtrlHandler(&console_control, TRUE);
  }

  void wait_for_signal() {
    signals_.async_wait([weak = weak_from_this()](error_code ec, int) {
      auto const self = weak.lock();
      if (!self || ec) return;
      if (self->requests_.stop) self->requests_.stop();
      self->wait_for_signal();
    });
  }

  asio::any_io_executor executor_;
  host_requests requests_;
  asio::signal_set signals_;
  std::unique_ptr<win32::service> service_;
};

host::host(asio::any_io_executor executor, host_requests requests, error_code& ec) {
  ec.clear();
  impl_ = std::make_shared<impl>(std::move(executor), std::move(requests));
  impl_->start(ec);
}
host::~host() {
  impl_->end();
}

std::vector<std::string> host::start_arguments() const {
  auto const* const service = impl_->as_service();
  return service ? service->arguments() : std::vector<std::string>();
}

void host::ready() {
  if (auto* const service = impl_->as_service()) service->running();
}
void host::reloading() {}  // a service that reloads is a running one
void host::stopping() {
  if (auto* const service = impl_->as_service()) service->stopping();
}
void host::progress(duration at_most) {
  if (auto* const service = impl_->as_service()) service->progress(at_most);
}
void host::stopped(error_code why) {
  impl_->close();
  if (auto* const service = impl_->as_service()) service->stopped(why);
}
void host::status(std::string_view) {}  // a service has none; it may be asked to log it
void host::log(log_level level, std::string_view text) {
  if (auto* const service = impl_->as_service())
    service->log(level, text);
  else
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace prong::os

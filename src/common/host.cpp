// class host: requests wait here until they are taken; the rest goes to the platform's host.
// SPDX-License-Identifier: BSL-1.0
#include <prong/host.hpp>

#include "common/hosted_primary.hpp"
#include "common/os/host.hpp"
#include "common/os/process.hpp"
#include "common/waiting_list.hpp"

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <optional>
#include <utility>

namespace prong {
namespace detail {

// There may be one host in a process, because what it takes is the process's: signals, the console,
// the connection to the service control manager.
class only_host {
 public:
  only_host() {
    if (exists_.exchange(true)) {
      throw boost::system::system_error(make_error_code(errc::already_running), "prong::host");
    }
  }
  only_host(only_host const&) = delete;
  only_host& operator=(only_host const&) = delete;
  ~only_host() { exists_ = false; }

 private:
  inline static std::atomic<bool> exists_ = false;
};

class host_impl : public std::enable_shared_from_this<host_impl> {
 public:
  explicit host_impl(asio::any_io_executor executor)
      : executor_(std::move(executor)), waiters_(executor_) {}

  /// Not in the constructor, because there is no weak pointer yet.
  void open() {
    auto const asks = [weak = weak_from_this()](host_request what) {
      return [weak, what] {
        if (auto const self = weak.lock()) self->on_request(what);
      };
    };
    error_code ec;
    os_.emplace(executor_,
                os::host_requests{asks(host_request::stop), asks(host_request::reload),
                                  asks(host_request::status)},
                ec);
    if (ec) throw boost::system::system_error(ec, "prong::host");
    arguments_ = os::this_program(ec).arguments;
    for (auto& each : os_->start_arguments()) arguments_.push_back(std::move(each));
  }

  asio::any_io_executor const& executor() const noexcept { return executor_; }
  os::host& os() noexcept { return *os_; }
  std::vector<std::string> const& arguments() const noexcept { return arguments_; }

  void next_request(handler<void(error_code, host_request)> completion) {
    if (requests_.empty() && stopped_) {
      post_completion(executor_, std::move(completion), error_code(asio::error::operation_aborted),
                      host_request{});
      return;
    }
    waiters_.add(std::move(completion));
    deliver();
  }

  void stopped(error_code why) {
    if (std::exchange(stopped_, true)) return;
    os_->stopped(why);
    waiters_.complete_all(asio::error::operation_aborted);
  }

 private:
  // A person who presses Ctrl-C once more and once more means no more than twice.
  static constexpr std::size_t most_requests = 16;

  void on_request(host_request what) {
    if (stopped_ || requests_.size() == most_requests) return;
    requests_.push_back(what);
    deliver();
  }

  void deliver() {
    for (; !requests_.empty() && !waiters_.empty(); requests_.pop_front())
      waiters_.complete_first({}, requests_.front());
  }

  only_host only_;
  asio::any_io_executor executor_;
  std::deque<host_request> requests_;
  waiting_list<void(error_code, host_request)> waiters_;
  std::vector<std::string> arguments_;
  std::optional<os::host> os_;
  bool stopped_ = false;
};

}  // namespace detail

host::host(executor_type executor)
    : impl_(std::make_shared<detail::host_impl>(std::move(executor))) {
  impl_->open();
}
host::~host() = default;

host::executor_type host::get_executor() const {
  return impl_->executor();
}
std::vector<std::string> const& host::arguments() const noexcept {
  return impl_->arguments();
}

void host::ready() {
  impl_->os().ready();
}
void host::reloading() {
  impl_->os().reloading();
}
void host::stopping() {
  impl_->os().stopping();
}
void host::progress(duration at_most) {
  impl_->os().progress(at_most);
}
void host::stopped(error_code why) {
  impl_->stopped(why);
}
void host::status(std::string_view text) {
  impl_->os().status(text);
}
void host::log(log_level level, std::string_view text) {
  impl_->os().log(level, text);
}

void host::start_run(primary& boss, hosting settings,
                     detail::handler<void(error_code)> completion) {
  detail::run_hosted(boss, *this, std::move(settings), std::move(completion));
}
void host::start_next_request(detail::handler<void(error_code, host_request)> completion) {
  impl_->next_request(std::move(completion));
}

}  // namespace prong

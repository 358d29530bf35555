// class worker: finds out who this process is, and passes everything on.
// SPDX-License-Identifier: BSL-1.0
#include <prong/worker.hpp>

#include "common/os/process.hpp"
#include "common/worker_impl.hpp"

#include <boost/system/system_error.hpp>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace prong {
namespace {

// The id that the primary gave this process, or 0. It is read once: the variable is removed when
// the worker is constructed.
worker_id id_of_this_process() noexcept {
  static worker_id const id = [] {
    std::uint32_t number = 0;
    if (char const* const set = std::getenv(os::worker_id_variable)) {
      std::string_view const text = set;
      std::from_chars(text.data(), text.data() + text.size(), number);
    }
    return worker_id{number};
  }();
  return id;
}

std::shared_ptr<detail::worker_impl> make_impl(asio::any_io_executor executor) {
  auto const id = id_of_this_process();
  if (id == worker_id{}) return std::make_shared<detail::worker_impl>(std::move(executor));
  error_code ec;
  auto channel = os::channel::inherited(executor, ec);
  if (ec) throw boost::system::system_error(ec, "prong::worker: the channel to the primary");
  return std::make_shared<detail::worker_impl>(std::move(executor), std::move(channel),
                                               os::inherited_turns(), id);
}

}  // namespace

bool is_worker() noexcept {
  return id_of_this_process() != worker_id{};
}

process_id this_process() noexcept {
  return os::this_process();
}

worker::worker(executor_type executor) : worker(make_impl(std::move(executor))) {}
worker::worker(std::shared_ptr<detail::worker_impl> impl) noexcept : impl_(std::move(impl)) {
  impl_->start();
}
worker::worker(worker&&) noexcept = default;
worker& worker::operator=(worker&& other) noexcept {
  if (this == &other) return *this;
  if (impl_) impl_->close();
  impl_ = std::move(other.impl_);
  return *this;
}
worker::~worker() {
  if (impl_) impl_->close();
}

worker::executor_type worker::get_executor() const {
  return impl_->executor();
}
worker_id worker::id() const noexcept {
  return impl_->id();
}
bool worker::is_standalone() const noexcept {
  return impl_->is_standalone();
}
bool worker::is_stopping() const noexcept {
  return impl_->stopping();
}

void worker::start_receive(detail::handler<void(error_code, message)> completion) {
  impl_->receive(std::move(completion));
}
void worker::start_send(message what, detail::handler<void(error_code)> completion) {
  impl_->send(std::move(what), std::move(completion));
}
void worker::start_wait_stop(detail::handler<void(error_code)> completion) {
  impl_->wait_stop(std::move(completion));
}
void worker::start_disconnect(detail::handler<void(error_code)> completion) {
  impl_->disconnect(std::move(completion));
}

}  // namespace prong

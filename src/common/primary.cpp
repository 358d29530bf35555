// class primary: checks the options, and passes everything on.
// SPDX-License-Identifier: BSL-1.0
#include <prong/primary.hpp>

#include "common/fork_options.hpp"
#include "common/options.hpp"
#include "common/primary_impl.hpp"

#include <boost/system/system_error.hpp>
#include <random>
#include <string>
#include <utility>

namespace prong {
namespace {

using boost::system::system_error;

void check(fork_options& given, std::string const& where) {
  std::string why;
  if (auto const ec = prepare(given, why)) throw system_error(ec, where + why);
}

// What workers run where the options do not say it.
os::program this_program(fork_options const& settings) {
  os::program result;
  if (!settings.executable.empty() && settings.arguments) return result;
  error_code ec;
  result = os::this_program(ec);
  if (ec) throw system_error(ec, "prong::primary: this program's own path and arguments");
  return result;
}

std::shared_ptr<detail::primary_impl> make_impl(asio::any_io_executor executor, options settings) {
  auto invalid = invalid_option(settings);
  auto const policy = scheduling_of(settings, invalid);
  if (!invalid.empty())
    throw system_error(make_error_code(errc::invalid_option), "prong::primary: " + invalid);
  if (policy == scheduling::sharded && !os::listeners_divide())
    throw system_error(make_error_code(errc::not_supported),
                       "prong::primary: scheduling: sharded, without a system that divides");
  check(settings.worker, "prong::primary: worker.");
  auto base = this_program(settings.worker);
  return std::make_shared<detail::primary_impl>(std::move(executor), std::move(settings),
                                                std::move(base), policy, std::random_device{}());
}

}  // namespace

primary::primary(executor_type executor, prong::options settings)
    : impl_(make_impl(std::move(executor), std::move(settings))) {}
primary::primary(primary&&) noexcept = default;
primary& primary::operator=(primary&& other) noexcept {
  if (this == &other) return *this;
  if (impl_) impl_->close();
  impl_ = std::move(other.impl_);
  return *this;
}
primary::~primary() {
  if (impl_) impl_->close();
}

primary::executor_type primary::get_executor() const {
  return impl_->executor();
}
options const& primary::settings() const noexcept {
  return impl_->settings();
}

void primary::setup(fork_options changes, error_code& ec) {
  std::string why;
  ec = prepare(changes, why);
  if (!ec) impl_->setup(std::move(changes), ec);
}
void primary::setup(fork_options changes) {
  check(changes, "prong::primary::setup: ");
  error_code ec;
  impl_->setup(std::move(changes), ec);
  if (ec) throw system_error(ec, "prong::primary::setup");
}

worker_id primary::fork(fork_options settings, error_code& ec) {
  std::string why;
  ec = prepare(settings, why);
  return ec ? worker_id{} : impl_->fork(std::move(settings), ec);
}
worker_id primary::fork(fork_options settings) {
  check(settings, "prong::primary::fork: ");
  error_code ec;
  auto const id = impl_->fork(std::move(settings), ec);
  if (ec) throw system_error(ec, "prong::primary::fork");
  return id;
}

void primary::kill(worker_id id, error_code& ec) {
  impl_->kill(id, ec);
}
void primary::kill(worker_id id) {
  error_code ec;
  kill(id, ec);
  if (ec) throw system_error(ec, "prong::primary::kill");
}

void primary::resize(std::size_t workers) {
  impl_->resize(workers);
}
std::vector<worker_info> primary::workers() const {
  return impl_->decisions().workers();
}

void primary::start_run(detail::handler<void(error_code)> completion) {
  impl_->run(std::move(completion));
}
void primary::start_next_event(detail::handler<void(error_code, event)> completion) {
  impl_->next_event(std::move(completion));
}
void primary::start_send(worker_id to, message what, detail::handler<void(error_code)> completion) {
  impl_->send(to, std::move(what), std::move(completion));
}
void primary::start_disconnect(worker_id id, detail::handler<void(error_code)> completion) {
  impl_->disconnect(id, std::move(completion));
}
void primary::start_disconnect_all(detail::handler<void(error_code)> completion) {
  impl_->disconnect_all(std::move(completion));
}
void primary::start_reload(detail::handler<void(error_code)> completion) {
  impl_->reload(std::move(completion));
}
void primary::start_shutdown(detail::handler<void(error_code)> completion) {
  impl_->shutdown(std::move(completion));
}

}  // namespace prong

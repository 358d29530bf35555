// host::async_run. Everything here is done with the public objects, so that a program that decides
// differently can do it, too.
// SPDX-License-Identifier: BSL-1.0
#include "common/hosted_primary.hpp"

#include "common/waiting_list.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <set>
#include <utility>

namespace prong::detail {
namespace {

// What a host is asked to wait beyond a timeout of the primary's own, which then kills and reaps.
constexpr duration margin{5'000};

/// "2 workers online, listening on 127.0.0.1:8080".
std::string describe(std::vector<worker_info> const& workers) {
  std::set<std::string> endpoints;
  std::size_t online = 0;
  for (auto const& each : workers) {
    if (each.state != worker_state::online) continue;
    ++online;
    for (auto const& where : each.endpoints) endpoints.insert(to_string(where));
  }
  auto text = fmt::format("{} worker{} online", online, online == 1 ? "" : "s");
  for (char const* before = ", listening on "; auto const& each : endpoints)
    text += fmt::format("{}{}", std::exchange(before, ", "), each);
  return text;
}

class hosted_primary : public std::enable_shared_from_this<hosted_primary> {
 public:
  hosted_primary(primary& boss, host& where, hosting settings)
      : boss_(boss), where_(where), settings_(std::move(settings)), run_(boss.get_executor()) {}

  void start(handler<void(error_code)> completion) {
    run_.add(std::move(completion), [weak = weak_from_this()](asio::cancellation_type how) {
      auto const self = weak.lock();
      if (!self) return true;
      self->result_ = asio::error::operation_aborted;
      if ((how & asio::cancellation_type::terminal) != asio::cancellation_type::none)
        self->stop_at_once();
      else
        self->stop();
      return false;  // it completes when all are gone
    });
    boss_.async_run([self = shared_from_this()](error_code ec) {
      if (ec == errc::already_running || ec == errc::shutting_down) self->finish(ec);
    });
    tell_progress();
    wait_for_event();
    wait_for_request();
  }

 private:
  void wait_for_event() {
    boss_.async_next_event([self = shared_from_this()](error_code ec, event what) {
      if (self->finished_) return;
      if (ec) {  // there will be no more: all is over
        self->finish(self->result_);
        return;
      }
      if (self->settings_.on_event) self->settings_.on_event(what);
      std::visit([&](auto const& each) { self->on(each); }, what);
      if (!std::holds_alternative<worker_message>(what) &&
          !std::holds_alternative<worker_output>(what))
        self->tell_progress();
      self->wait_for_event();
    });
  }

  void wait_for_request() {
    where_.async_next_request(asio::bind_executor(
        boss_.get_executor(), [self = shared_from_this()](error_code ec, host_request what) {
          if (ec || self->finished_) return;
          if (self->settings_.on_request) self->settings_.on_request(what);
          self->obey(what);
          self->wait_for_request();
        }));
  }

  void obey(host_request what) {
    switch (what) {
      case host_request::stop:
        if (!stopping_) {
          stop();
        } else {
          result_ = asio::error::operation_aborted;
          stop_at_once();
        }
        break;
      case host_request::reload: reload(); break;
      case host_request::status: log(log_level::info, describe(boss_.workers())); break;
    }
  }

  void stop() {
    if (std::exchange(stopping_, true)) return;
    where_.stopping();
    tell_progress();
    boss_.async_shutdown(asio::bind_cancellation_slot(at_once_.slot(), asio::detached));
  }

  void stop_at_once() {
    stop();
    at_once_.emit(asio::cancellation_type::terminal);
  }

  void reload() {
    if (stopping_) return;
    ++reloads_;
    if (ready_) where_.reloading();
    tell_progress();
    boss_.async_reload([self = shared_from_this()](error_code ec) {
      if (!self->finished_) self->on_reloaded(ec);
    });
  }

  void on_reloaded(error_code ec) {
    --reloads_;
    if (settings_.on_reloaded) settings_.on_reloaded(ec);
    if (stopping_) return;
    if (ec)
      log(log_level::error, fmt::format("a reload failed, and workers that were not replaced stay: "
                                        "{}",
                                        ec.message()));
    else
      log(log_level::info, "reloaded");
    if (ready_ && reloads_ == 0) where_.ready();
    tell_progress();
  }

  void on(worker_listen_failed const& what) {
    if (stopping_) return;
    log(log_level::error, "cannot listen on " + prong::describe(what));
    fails_to_start(what.error);
  }

  void on(worker_exited const& what) {
    if (what.error || (!what.exited_after_disconnect && !stopping_))
      log(log_level::warning, fmt::format("worker {} {}", what.process, prong::describe(what)));
  }

  void on(respawn_suspended const& what) {
    if (stopping_) return;
    log(log_level::error, fmt::format("{} workers died too fast", what.deaths));
    fails_to_start(errc::worker_gone);
  }

  void on(auto const&) {}

  /// Whoever starts a program wants to know that it cannot work; one that worked goes on trying.
  void fails_to_start(error_code why) {
    if (ready_) return;
    result_ = why;
    stop_at_once();
  }

  bool are_ready(std::vector<worker_info> const& all) const {
    return !all.empty() && std::ranges::all_of(all, [this](worker_info const& each) {
      return each.state == worker_state::online &&
             !(settings_.workers_listen && each.endpoints.empty());
    });
  }

  void tell_progress() {
    auto const all = boss_.workers();
    auto const text = describe(all);
    if (!ready_ && !stopping_ && are_ready(all)) {
      ready_ = true;
      where_.ready();
      log(log_level::info, "ready: " + text);
    }
    if (stopping_)
      where_.progress(boss_.settings().stop_timeout + margin);
    else if (!ready_ || reloads_ > 0)
      where_.progress(boss_.settings().start_timeout + margin);
    auto const* const phase = stopping_      ? "Stopping: "
                              : !ready_      ? "Starting: "
                              : reloads_ > 0 ? "Reloading: "
                                             : "";
    if (auto line = phase + text; line != status_) where_.status(status_ = std::move(line));
  }

  void finish(error_code ec) {
    finished_ = true;
    where_.stopped(ec);
    run_.complete_all(ec);
  }

  void log(log_level level, std::string_view text) const {
    if (auto const& to = boss_.settings().log) to(level, text);
  }

  primary& boss_;
  host& where_;
  hosting settings_;
  waiting_list<void(error_code)> run_;
  asio::cancellation_signal at_once_;
  error_code result_;
  std::string status_;
  int reloads_ = 0;  // that have not ended
  bool ready_ = false;
  bool stopping_ = false;
  bool finished_ = false;
};

}  // namespace

void run_hosted(primary& boss, host& where, hosting settings,
                handler<void(error_code)> completion) {
  std::make_shared<hosted_primary>(boss, where, std::move(settings))->start(std::move(completion));
}

}  // namespace prong::detail

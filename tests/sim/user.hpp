// The simulated user of a primary: what the primary's program asks for, in any order.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/primary_impl.hpp"
#include "sim/world.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <memory>
#include <vector>

namespace prong::sim {

class user : public resident {
 public:
  user(world& in, asio::io_context& io, options settings, scheduling policy);
  user(user const&) = delete;
  user& operator=(user const&) = delete;
  ~user() override;

  detail::primary_impl& primary() { return *impl_; }
  bool exists() const { return impl_ != nullptr; }
  options const& settings() const { return settings_; }

  void run();
  void fork();
  void resize(std::size_t workers);
  void reload();
  void disconnect_all();
  void shutdown();
  /// Something that users do, drawn.
  void act();
  /// Takes events from here on, or takes none.
  void take_events(bool on);
  /// The primary is destroyed, as by its destructor.
  void destroy();

  bool was_run() const { return was_run_; }
  bool is_shut_down() const { return shut_down_; }
  std::size_t target() const { return target_; }
  /// Operations that have not completed yet.
  std::size_t open_operations() const { return started_ - completed_; }
  /// Tells the model how many workers may live.
  void expect() { world_.rules.expect_live(target_, by_hand_, reloads_ > 0 ? 1 : 0); }

 private:
  detail::handler<void(error_code)> completion(std::size_t* counts = nullptr);
  void next_event();
  void send(worker_id to);
  worker_id some_worker();

  world& world_;
  asio::executor_work_guard<asio::io_context::executor_type> stays_;
  options settings_;
  std::shared_ptr<detail::primary_impl> impl_;
  std::vector<std::unique_ptr<asio::cancellation_signal>> signals_;
  std::size_t started_ = 0;
  std::size_t completed_ = 0;
  std::size_t target_ = 0;
  std::size_t by_hand_ = 0;
  std::size_t reloads_ = 0;  // that run or wait
  bool was_run_ = false;
  bool shut_down_ = false;
  bool takes_events_ = true;
  bool waits_for_event_ = false;
};

}  // namespace prong::sim

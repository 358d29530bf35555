// An acceptor's shell. Connections come from the primary, or from a listening socket of its own
// where the worker accepts by itself: shared scheduling, exclusive acceptors, standalone workers.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/listening_impl.hpp"
#include "common/os/clock.hpp"
#include "common/os/listener.hpp"
#include "common/turns.hpp"

#include <prong/detail/accept.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace prong::detail {

class acceptor_impl final : public listening_impl {
 public:
  using waiting_accepts = waiting_list<void(error_code, socket_handle)>;

  explicit acceptor_impl(std::shared_ptr<worker_impl> owner);

  void cancel();
  void accept(handler<void(error_code, socket_handle)> completion);

  /// The program counts one more connection as open, or one fewer.
  void count_connection();
  void connection_ended();
  std::uint64_t turned_away() const noexcept { return turned_away_; }

  // From the worker.
  waiting_accepts::operation take_waiting();
  void turn_away() { ++turned_away_; }

 private:
  endpoint open_own(error_code& ec) override;
  endpoint adopt(os::socket native, std::uint32_t queue, error_code& ec) override;
  void on_use() override { accept_here(); }
  void on_request() override;
  void close_own() override;
  bool is_waited_for() const noexcept override { return !accepts_.empty(); }
  void complete_all(error_code ec) override { accepts_.complete_all(ec); }

  std::shared_ptr<acceptor_impl> self() {
    return std::static_pointer_cast<acceptor_impl>(shared_from_this());
  }
  void accept_here();
  void expect_connections();
  void on_connections(error_code ec);
  void take_queued(error_code ec = {});
  void stop_taking();
  void pause(os::clock::duration time);
  std::size_t room() const noexcept;
  bool wants_connections() const noexcept;
  bool turns_away() const noexcept { return request_ && request_->how.drop_max_connections; }
  void count_changed();
  void delivered();

  waiting_accepts accepts_;
  std::optional<os::listener> own_;
  std::optional<turns> turns_;  // if other workers share own_
  os::timer pause_;
  bool is_shared_ = false;    // own_, by several workers
  bool more_queued_ = false;  // perhaps, and for nobody else
  bool waiting_ = false;      // for connections on own_, or for the end of a pause
  std::size_t open_ = 0;      // connections that count as open
  std::uint64_t turned_away_ = 0;
};

}  // namespace prong::detail

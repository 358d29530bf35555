// The worker's shell: it owns the link, the sockets of offered connections and the operations
// that wait, tells the core what happens, and does what the core decides.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/worker_core.hpp"
#include "common/link.hpp"
#include "common/os/clock.hpp"
#include "common/os/listener.hpp"
#include "common/waiting_list.hpp"

#include <prong/detail/accept.hpp>
#include <prong/message.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace prong::detail {

class worker_impl : public std::enable_shared_from_this<worker_impl> {
 public:
  /// Standalone.
  explicit worker_impl(asio::any_io_executor executor);
  /// With the channel to its primary. `start` says hello.
  worker_impl(asio::any_io_executor executor, os::channel channel, worker_id id);
  ~worker_impl();
  void start();
  void close();

  asio::any_io_executor const& executor() const noexcept { return executor_; }
  worker_id id() const noexcept { return id_; }
  bool is_standalone() const noexcept { return id_ == worker_id{}; }
  bool stopping() const noexcept { return closed_ || core_.stopping(); }

  void receive(handler<void(error_code, message)> completion);
  void send(message what, handler<void(error_code)> completion);
  void wait_stop(handler<void(error_code)> completion);
  void disconnect(handler<void(error_code)> completion);

  // For acceptors, which are known here from `add` to `remove`.
  core::acceptor_id add(acceptor_impl& acceptor);
  void remove(core::acceptor_id id);
  void listen(core::acceptor_id id, core::listen_request const& what);
  void accept_waits(core::acceptor_id id);
  void accept_cancelled(core::acceptor_id id);

 private:
  using operations = waiting_list<void(error_code)>;

  /// Tells the core, carries out what it decides, and sends what is to be sent.
  template <class Happening>
  void turn(Happening&& tell_core);
  void carry_out();
  void on_frame(wire::control const& what, os::socket attached);
  void on_message(message what);
  void on_sent(std::uint64_t batch);
  void on_link_end();
  void deliver_messages();
  void abort_deliveries();

  void perform(core::worker_action::send const& what);
  void perform(core::worker_action::deliver const& what);
  void perform(core::worker_action::drop const& what);
  void perform(core::worker_action::listened const& what);
  void perform(core::worker_action::request_turn const& what);
  void perform(core::worker_action::request_pause const& what);
  void perform(core::worker_action::begin_drain const& what);

  asio::any_io_executor executor_;
  worker_id id_{};
  core::worker_core core_;
  std::shared_ptr<link> channel_;  // none if standalone
  std::map<core::acceptor_id, acceptor_impl*> acceptors_;
  std::map<core::connection_id, os::socket> offered_;
  /// A connection on its way to an operation: it arrives there when our `took` is with the
  /// operating system. If we died before, the primary would give the connection to another (I2).
  struct delivery {
    waiting_list<void(error_code, socket_handle)>::operation to;
    os::socket connection;
    std::uint64_t batch;
  };
  std::vector<delivery> deliveries_;
  os::socket listening_;  // came with the frame that is being handled
  os::timer pause_;

  std::deque<message> inbox_;
  waiting_list<void(error_code, message)> receives_;
  operations stops_;
  operations disconnects_;
  bool primary_lost_ = false;
  bool closed_ = false;
};

/// An acceptor's shell. Connections come from the primary, or from a listening socket of its own
/// where the worker accepts by itself: shared scheduling, and standalone workers.
class acceptor_impl : public std::enable_shared_from_this<acceptor_impl> {
 public:
  explicit acceptor_impl(std::shared_ptr<worker_impl> owner);
  /// Makes the acceptor known to its worker; again after `close`.
  void open();
  void close();
  void cancel();

  void listen(core::listen_request const& what);
  void wait_listening(handler<void(error_code)> completion);
  void accept(handler<void(error_code, socket_handle)> completion);
  std::optional<core::endpoint> const& bound() const noexcept { return bound_; }

  // From the worker.
  void on_listened(error_code result, core::endpoint const& bound, os::socket shared);
  waiting_list<void(error_code, socket_handle)>::operation take_waiting();
  void drain();

 private:
  bool ended() const noexcept { return closed_ || owner_->stopping(); }
  /// Asks again after a failure. False if nobody ever asked for an endpoint.
  bool ensure_listening();
  void listen_here();
  void use(os::listener socket);
  void accept_here();
  void on_connections(error_code ec);
  void stop_taking();
  void pause();
  void fail(error_code ec);

  std::shared_ptr<worker_impl> owner_;
  core::acceptor_id id_{};
  std::optional<core::listen_request> request_;
  std::optional<core::endpoint> bound_;
  error_code failure_;  // of listening, for the next operation
  waiting_list<void(error_code)> listens_;
  waiting_list<void(error_code, socket_handle)> accepts_;
  std::optional<os::listener> own_;
  os::timer pause_;
  bool waiting_ = false;     // for connections on own_
  std::uint64_t round_ = 0;  // what waits for an own_ of before is told apart by this
  bool closed_ = true;
};

}  // namespace prong::detail

// The worker's shell: it owns the link, the sockets of offered connections and the operations
// that wait, tells the core what happens, and does what the core decides.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/fifo.hpp"
#include "common/core/worker_core.hpp"
#include "common/link.hpp"
#include "common/os/clock.hpp"
#include "common/turns.hpp"
#include "common/waiting_list.hpp"

#include <prong/listen_options.hpp>
#include <prong/message.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace prong::detail {

class acceptor_impl;
class listening_impl;

class worker_impl : public std::enable_shared_from_this<worker_impl> {
 public:
  /// Standalone.
  explicit worker_impl(asio::any_io_executor executor);
  /// With the channel to its primary, and the memory of turns if it has one. `start` says hello.
  worker_impl(asio::any_io_executor executor, os::channel channel,
              std::shared_ptr<os::turn_counts> turns, worker_id id);
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

  // For acceptors and UDP sockets, which are known here from `add` to `remove`.
  core::acceptor_id add(listening_impl& added);
  void remove(core::acceptor_id id);
  void listen(core::acceptor_id id, listen_request const& what);
  void listens_alone(core::acceptor_id id, endpoint const& where, error_code result);
  void accept_waits(core::acceptor_id id);
  void accept_cancelled(core::acceptor_id id);
  void count(core::acceptor_id id, std::size_t open, std::size_t room, bool turns_away);
  /// Its turns at a queue that it shares with other workers, if it has the memory for it.
  std::optional<turns> turns_in(std::uint32_t queue) const;
  /// The operation gets the connection with the next `deliver_connections`.
  void deliver(waiting_list<void(error_code, socket_handle)>::operation to, os::socket connection);
  /// Calls the program's handlers now, or in another turn of the loop.
  void deliver_connections();
  void deliver_soon();
  /// The program counts one more connection as open, or one fewer.
  void connection_opened() { ++open_connections_; }
  void connection_ended();

 private:
  /// A connection that the primary has offered; without a socket if that was lost on its way.
  struct offered_socket {
    core::connection_id id{};
    std::uint32_t epoch = 0;
    os::socket connection;
  };
  using operations = waiting_list<void(error_code)>;

  /// Tells the core, carries out what it decides, and sends what is to be sent.
  template <class Happening>
  void turn(Happening&& tell_core);
  void carry_out();
  void on_frame(wire::control const& what, os::socket attached);
  void on_message(message&& what);
  void on_link_end();
  void end_deliveries();
  void post_turn();
  void deliver_messages();
  void after_delivery();
  offered_socket take_offered(core::connection_id what);
  bool take(offered_socket const& what) noexcept;
  void complete_disconnects();
  acceptor_impl& acceptor(core::acceptor_id id) const;

  void perform(core::worker_action::send const& what);
  void perform(core::worker_action::deliver const& what);
  void perform(core::worker_action::refuse const& what);
  void perform(core::worker_action::drop const& what);
  void perform(core::worker_action::turn_away const& what);
  void perform(core::worker_action::listened const& what);
  void perform(core::worker_action::request_turn const& what);
  void perform(core::worker_action::request_pause const& what);
  void perform(core::worker_action::begin_drain const& what);

  asio::any_io_executor executor_, posts_;
  worker_id id_{};
  core::worker_core core_;
  std::shared_ptr<link> channel_;  // none if standalone
  std::shared_ptr<os::turn_counts> turns_;
  std::map<core::acceptor_id, listening_impl*> listening_;
  std::vector<offered_socket> offered_;  // few, and mostly the first is asked for
  /// A connection that is this worker's, and the operation that gets it.
  struct delivery {
    waiting_list<void(error_code, socket_handle)>::operation to;
    os::socket connection;
  };
  core::fifo<delivery> deliveries_;
  bool delivers_ = false;  // and takes more, if handlers accept more
  os::socket attached_;    // came with the frame that is being handled
  os::timer pause_;

  std::deque<message> inbox_;
  waiting_list<void(error_code, message)> receives_;
  bool delivery_posted_ = false;
  operations stops_;
  operations disconnects_;
  std::size_t open_connections_ = 0;
  bool turn_requested_ = false, turn_posted_ = false;
  bool primary_lost_ = false;
  bool closed_ = false;
};

}  // namespace prong::detail

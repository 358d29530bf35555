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

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
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
  void listen(core::acceptor_id id, listen_request const& what);
  void listens_alone(core::acceptor_id id, endpoint const& where, error_code result);
  void accept_waits(core::acceptor_id id);
  void accept_cancelled(core::acceptor_id id);
  void limit(core::acceptor_id id, std::size_t room, bool turns_away);
  /// The program counts one more connection as open, or one fewer.
  void connection_opened() { ++open_connections_; }
  void connection_ended();

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
  void complete_disconnects();

  void perform(core::worker_action::send const& what);
  void perform(core::worker_action::deliver const& what);
  void perform(core::worker_action::drop const& what);
  void perform(core::worker_action::turn_away const& what);
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
  std::size_t open_connections_ = 0;
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

  void listen(listen_request what);
  void assign(transport kind, os::socket listening, error_code& ec);
  void wait_listening(handler<void(error_code)> completion);
  void accept(handler<void(error_code, socket_handle)> completion);
  bool listens() const noexcept { return listens_now_; }
  /// Where it listens, or listened last.
  endpoint const& bound() const noexcept { return bound_; }
  /// What went wrong with listening the last time it did.
  std::string const& failure() const noexcept { return failure_text_; }

  // Counts of connections.
  void count_connection();
  void connection_ended();
  void turned_away() { ++turned_away_; }
  std::uint64_t turned_away_count() const noexcept { return turned_away_; }

  // From the worker.
  void on_listened(error_code result, endpoint const& bound, os::socket shared);
  waiting_list<void(error_code, socket_handle)>::operation take_waiting();
  void drain();
  asio::any_io_executor const& executor() const noexcept { return owner_->executor(); }

 private:
  bool ended() const noexcept { return closed_ || owner_->stopping(); }
  /// Asks again after a failure. False if nobody ever asked for an endpoint.
  bool ensure_listening();
  void resolve();
  void ask();
  void listen_here();
  void listen_here(os::listener socket);
  void use(os::listener socket);
  std::size_t room() const noexcept;
  void room_changed();
  void delivered();
  void accept_here();
  void on_connections(error_code ec);
  void stop_taking();
  void pause();
  void fail(error_code ec);

  std::shared_ptr<worker_impl> owner_;
  core::acceptor_id id_{};
  std::optional<listen_request> request_;
  endpoint bound_;
  bool listens_now_ = false;
  error_code failure_;  // of listening, for the next operation
  std::string failure_text_;
  waiting_list<void(error_code)> listens_;
  waiting_list<void(error_code, socket_handle)> accepts_;
  std::optional<os::listener> own_;
  asio::ip::tcp::resolver resolver_;
  bool resolves_ = false;
  os::timer pause_;
  bool waiting_ = false;     // for connections on own_
  std::uint64_t round_ = 0;  // what waits for an own_ of before is told apart by this
  std::size_t open_ = 0;     // connections that count as open
  std::uint64_t turned_away_ = 0;
  bool closed_ = true;
};

}  // namespace prong::detail

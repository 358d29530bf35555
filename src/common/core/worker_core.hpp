// The worker's decisions: the mirror of the primary's. Events in, actions out.
//
// A connection that the primary offers is answered with `took` when an accept operation waits for
// it, and before the operation gets it (I2). A credit, which asks for a connection, goes out when
// an operation waits and the program's loop has turned since, behind what the last connections had
// it do: a loop that is blocked asks for nothing. What arrives while nobody waits goes back after
// one turn.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/fifo.hpp"
#include "common/core/types.hpp"
#include "common/core/window.hpp"
#include "common/wire/control.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>

namespace prong::core {

namespace worker_action {

struct send {
  wire::control what;
};
/// Give the connection's socket to the oldest accept operation that waits.
struct deliver {
  acceptor_id acceptor{};
  connection_id connection{};
};
/// Tell the primary that the connection stays its own, and close our handle.
struct refuse {
  connection_id connection{};
};
/// Close our handle of a connection; the primary has its own.
struct drop {
  connection_id connection{};
};
/// Close a connection that is ours, because the acceptor has as many as it may.
struct turn_away {
  acceptor_id acceptor{};
  connection_id connection{};
};
/// The acceptor listens, or failed to. `shared`: on a socket of its own, which came along.
/// `queue`: the number of what others share with it, if they do.
struct listened {
  acceptor_id acceptor{};
  error_code result;
  endpoint bound;
  bool shared = false;
  std::uint32_t queue = 0;
};
/// Call `on_turn` when the program's loop has turned once.
struct request_turn {};
/// Call `on_recovered` after a pause: there was no descriptor left for a connection.
struct request_pause {};
/// Drains from here on: end all operations, and the link when all frames are out.
struct begin_drain {};

}  // namespace worker_action

using any_worker_action =
    std::variant<worker_action::send, worker_action::deliver, worker_action::refuse,
                 worker_action::drop, worker_action::turn_away, worker_action::listened,
                 worker_action::request_turn, worker_action::request_pause,
                 worker_action::begin_drain>;

class worker_core {
 public:
  explicit worker_core(worker_id id, process_id self);

  // What the program wants.
  acceptor_id add_acceptor();
  /// Asks the primary, unless the acceptor listens or has asked already.
  void listen(acceptor_id id, listen_request const& what);
  /// The acceptor has opened a socket of its own, or could not.
  void listens_alone(acceptor_id id, endpoint const& where, error_code result);
  void close(acceptor_id id);
  /// One more accept operation waits, or one fewer because it was cancelled.
  void accept_waits(acceptor_id id);
  void accept_cancelled(acceptor_id id);
  /// How many connections the acceptor has open, how many more it may have, and whether it turns
  /// others away.
  void count(acceptor_id id, std::size_t open, std::size_t room, bool turns_away);
  void stop();

  // What happened.
  /// False if the primary broke the protocol. `has_socket`: whether the frame's socket arrived.
  bool on_control(wire::control const& what, bool has_socket);
  /// `lasted`: how long the turn took that `request_turn` asked for.
  /// An offer came too late: the primary has recalled it.
  void on_recalled(acceptor_id id);
  /// So it was when the connection was to be delivered: the operation waits again.
  void not_delivered(acceptor_id id);
  void on_turn(std::chrono::nanoseconds lasted);
  void on_recovered();

  std::optional<any_worker_action> next_action() { return actions_.pop(); }
  bool has_actions() const noexcept { return !actions_.empty(); }
  bool stopping() const noexcept { return stopping_; }

 private:
  enum class phase { idle, asked, listening };
  struct acceptor {
    listen_request request;
    std::uint32_t index = 0;
    phase at = phase::idle;
    bool shared = false;
    std::size_t waiting = 0;         // accept operations
    std::size_t granted = 0;         // credits that no offer has used yet
    std::size_t room = SIZE_MAX;     // for more connections
    bool turns_away = false;         // when there is none
    bool takes = false;              // it has taken a connection since the last turn
    bool unannounced = false;        // it took connections, and the primary was not woken
    bool reports = false;            // the primary is told how many connections are open
    std::uint32_t open = 0;          // connections
    std::uint32_t reported = 0;      // of them
    std::deque<connection_id> held;  // offers that nobody waits for yet
    bool has_news() const noexcept { return unannounced || (reports && open != reported); }
  };

  void on_offer(wire::offer const& what, bool has_socket);
  void on_listening(wire::listening const& what, bool has_socket);
  void on_listen_failed(wire::listen_failed const& what);
  void end_listening(acceptor_id id, acceptor& at, error_code why);
  void take(acceptor_id id, acceptor& at, connection_id connection);
  void turn_away(acceptor_id id, acceptor& at, connection_id connection);
  std::uint32_t grant(acceptor& to);
  void use_credit(acceptor& at);
  void refuse(acceptor& at, connection_id connection);
  void refuse_held(acceptor& at);
  void want_turn();
  std::uint32_t free_index(listen_request const& what) const;

  template <class Action>
  void push(Action&& what) {
    actions_.push(std::forward<Action>(what));
  }

  std::map<acceptor_id, acceptor> acceptors_;
  fifo<any_worker_action> actions_;
  std::uint64_t last_acceptor_ = 0;
  window window_{1};
  bool more_waited_ = false;  // behind an offer of this turn
  std::size_t granted_ = 0;   // of all acceptors; no more than a mailbox has room for answers
  bool turn_wanted_ = false;
  bool starved_ = false;
  bool stopping_ = false;
};

}  // namespace prong::core

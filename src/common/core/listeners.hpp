// The listening sockets of the primary: who asked for which, when they open and close, and when
// they accept. Connections are handed out by each listener's dispatcher.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/action.hpp"
#include "common/core/dispatcher.hpp"
#include "common/core/newcomers.hpp"
#include "common/core/types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace prong::core {

class listeners {
 public:
  struct settings {
    scheduling policy = scheduling::round_robin;
    bool keep_open = false;  // while no worker listens because all have died or drain
    std::size_t max_pending = 0;
    worker_choice choose{};      // of scheduling::custom
    bool proxy_headers = false;  // connections begin with one that says who the client is
    duration recall_after{};     // see options
  };
  /// How connections ended up, for the conservation law (I4): arrived = pending + offered + the
  /// other four counts.
  struct counters {
    std::uint64_t arrived = 0;
    std::uint64_t handed_over = 0;
    std::uint64_t closed = 0;     // their listener closed first
    std::uint64_t abandoned = 0;  // their worker broke the protocol
    std::uint64_t headless = 0;   // they had no PROXY header
    std::uint64_t returned = 0;   // not an end: a worker had them and did not take them
  };

  listeners(settings how, action_queue& actions) : settings_(std::move(how)), actions_(actions) {}

  /// An acceptor of the worker in this slot asks. Answers with listening or listen_failed, now or
  /// after `on_opened`. False if the worker broke the protocol.
  bool listen(worker_id id, std::size_t slot, wire::listen const& frame);
  /// A worker's acceptor listens on a socket of its own, or could not.
  bool listens_alone(worker_id id, wire::listens_alone const& what);
  bool unlisten(worker_id id, acceptor_id acceptor);
  void on_opened(listener_id id, error_code ec, endpoint const& bound);

  bool took(worker_id id, connection_id connection);
  bool refused(worker_id id, connection_id connection);
  bool credit(worker_id id, wire::credit const& what);
  /// The worker can take no more of what it had been offered and has not taken.
  void recalled(worker_id id);

  void on_connection(listener_id id, arrival const& what, time_point now);
  /// What a look has shown. True if another one follows.
  bool on_proxy_header(listener_id id, connection_id connection, proxy_header const& seen,
                       time_point now);
  /// Accepting failed for want of resources: it pauses.
  void on_accept_failed(listener_id id, time_point now);

  /// The worker drains: it gets nothing new here. `slot_stays`: somebody has its slot, or will.
  void drain(worker_id id, bool slot_stays);
  /// Closes the sockets of slots that nobody has or will have.
  void keep_slots(std::function<bool(std::size_t)> const& stays);
  /// The worker's link has ended, and all that it wrote was read, or not (`readable`).
  void link_closed(worker_id id, bool readable);
  /// Closes everything for good.
  void close_all();

  void on_time(time_point now);
  void on_deadline();
  time_point next_deadline() const;
  /// The same for offers without an answer, which is looked at oftener: in `on_time`.
  time_point recall_deadline() const noexcept { return recall_at_; }

  /// How many acceptors of this worker listen, and where.
  std::size_t listening(worker_id id) const;
  std::vector<endpoint> endpoints(worker_id id) const;
  counters const& counted() const noexcept { return counters_; }
  std::size_t pending() const;
  std::size_t offered() const;

 private:
  struct member {
    worker_id id{};
    acceptor_id acceptor{};
    std::size_t slot = 0;
    friend bool operator==(member const& left, member const& right) {
      return left.id == right.id && left.acceptor == right.acceptor;
    }
  };
  /// An acceptor that listens without the primary.
  struct loner {
    member who;
    endpoint bound;
  };
  struct listener {
    listener(listen_request what, std::uint32_t number, std::unique_ptr<policy> how)
        : asked(std::move(what)), index(number), connections(std::move(how)) {}
    listen_request asked;
    std::uint32_t index = 0;            // see wire::listen
    std::optional<std::size_t> slot{};  // whose socket it is alone
    endpoint bound{};
    bool open = false;
    bool closed = false;  // for good
    bool accepting = false;
    time_point paused_until = time_point::min();
    std::vector<member> members;  // whose acceptors listen, or wait to
    newcomers unknown{};          // who is to say first who it is
    dispatcher connections;

    std::size_t pending() const { return unknown.size() + connections.pending(); }
  };
  using table = std::map<listener_id, listener>;

  bool knows(member const& who) const;
  /// Whether this is what was asked for, by whoever asked first.
  static bool fits(listener const& at, listen_request const& what, std::uint32_t index);
  /// The listener that this member is to share, if there is one.
  table::iterator find(member const& asker, listen_request const& what, std::uint32_t index);
  /// Whether each slot is to have a socket of its own for this.
  bool is_divided(listen_request const& what) const noexcept;
  static bool is_member(listener const& at, worker_id id);
  void open(listen_request const& what, std::uint32_t index, member const& first);
  void admit(listener_id id, listener& at, member const& joins);
  void fail(member const& asker, listen_request const& what, error_code ec);
  /// Removes a member; `for_good`: what nobody has then is closed in any case.
  void remove(listener_id id, listener& at, worker_id leaves, bool for_good);
  /// Hands out what can be, and starts or stops accepting accordingly.
  void settle(listener_id id, listener& at);
  void recall_silent();
  void close(listener_id id, listener& at);
  void drop(std::vector<connection_id> const& connections, std::uint64_t& count);
  void drop_pending(listener& at);
  void erase_closed();
  /// Whether workers take from the socket by themselves.
  bool is_shared(listener const& at) const noexcept;
  /// Who has said nothing when it was looked at twice is silent.
  time_point next_look() const { return now_ + time_point::duration(settings_.recall_after) / 2; }

  settings settings_;
  action_queue& actions_;
  table table_;
  std::vector<loner> loners_;
  counters counters_;
  std::uint32_t last_id_ = 0;
  time_point now_ = time_point::min();
  time_point recall_at_ = never;
};

}  // namespace prong::core

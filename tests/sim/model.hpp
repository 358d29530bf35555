// What must hold, seen from outside: the model watches what crosses the seam, what programs get and
// what the primary reports, and compares. The numbers are those of docs/design.md.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/primary_impl.hpp"
#include "sim/backend.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace prong::sim {

class model : public observer {
 public:
  explicit model(bool shared = false) : shared_(shared) {}
  void set_shared(bool shared) { shared_ = shared; }

  // The seam (see observer).
  void on_sent(process_id worker, int side, wire::frame_view const& frame,
               object_id attached) override;
  void on_read(process_id worker, int side, wire::frame_view const& frame) override;
  void on_recalled(process_id worker) override;
  void on_link_end(process_id worker) override;
  void on_accepted(object_id connection) override;

  // Programs.
  void handler_got(process_id worker, object_id connection);
  /// From here on nothing that this worker says can be relied on.
  void misbehaves(process const& worker) { evil_.insert(worker.worker); }
  /// The ids that the primary has offered to this worker, as they are on the wire.
  std::vector<std::uint64_t> offered_ids(process_id worker) const;

  // The primary's user.
  void on_event(event const& what);
  void expect_live(std::size_t target, std::size_t by_hand, std::size_t surplus) {
    most_live_ = target + by_hand + surplus;
  }
  void max_pending(std::size_t most) { max_pending_ = most; }

  // Messages: each side numbers its own to one worker from 1.
  struct mail {
    std::uint64_t last_number = 0;  // given out
    std::uint64_t last_received = 0;
    std::uint64_t sent = 0;               // what those cost that are with the operating system
    std::uint64_t taken = 0;              // and those that the other side's program took
    std::set<std::uint64_t> succeeded{};  // the sender was told that they are out
    std::set<std::uint64_t> missing{};    // skipped by the receiver
    std::map<std::uint64_t, object_id> sockets{};  // of the messages that were sent with one
  };
  mail& messages(std::uint32_t worker, int side) { return mail_[{worker, side}]; }
  /// The next message: a number, and perhaps a socket.
  message write_message(std::uint32_t worker, int side);
  void message_sent(std::uint32_t worker, int side, std::uint64_t number);
  void message_received(std::uint32_t worker, int side, message const& what);

  /// After each step.
  void check(detail::primary_impl const& primary);
  /// When everything is quiet and the primary is still there.
  void check_quiet(detail::primary_impl const& primary);
  /// After the shutdown, with all events taken.
  void check_all_exited();

  /// The errors that events have reported.
  std::vector<error_code> const& reported() const { return reported_; }
  std::uint64_t handed_over() const { return handlers_; }
  std::uint64_t accepted() const { return accepted_; }

 private:
  struct connection {
    process_id offered_to = 0;  // and may still be taken there
    process_id took = 0;        // who said so
    unsigned handlers = 0;
    bool accepted = false;
  };
  struct life {
    bool forked = false;
    bool online = false;
    bool disconnected = false;
    bool exited = false;
  };

  void on_offer(process_id worker, std::uint64_t id, object_id what);
  life& life_of(worker_id id, bool first);
  bool is_evil(process_id worker) const;

  bool shared_;
  std::map<object_id, connection> connections_;
  std::map<std::uint64_t, object_id> wire_ids_;
  std::map<process_id, std::uint32_t> epochs_;  // of workers whose offers were recalled
  std::set<std::uint32_t> evil_;
  std::map<worker_id, life> lives_;
  std::map<std::pair<std::uint32_t, int>, mail> mail_;
  std::vector<error_code> reported_;
  bool events_lost_ = false;
  std::size_t most_live_ = 0;
  std::size_t max_pending_ = 0;
  std::uint64_t returned_before_ = 0;  // to pending, when that was empty
  std::uint64_t handlers_ = 0;
  std::uint64_t accepted_ = 0;
};

}  // namespace prong::sim

// Hands the connections of one listener to the workers that accept on it.
//
// A connection is here in exactly one place: pending, or offered to one worker (I1). A worker is
// offered a connection for each credit it has granted, and owns it from its `took` on. What it has
// not taken when its link ends, or refuses, is pending again, in front (I3); so is what was
// recalled because the worker said nothing for a while, and another one has nothing to do.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/policy/policy.hpp"
#include "common/core/types.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace prong::core {

class dispatcher {
 public:
  struct offer {
    worker_id to;
    acceptor_id acceptor;
    connection_id connection;
    bool more_wait;  // behind it
  };

  explicit dispatcher(std::unique_ptr<policy> how) : policy_(std::move(how)) {}

  /// The worker accepts here, with no credit yet. It may have left before.
  void join(worker_id id, std::size_t slot, acceptor_id acceptor);
  /// The worker accepts here no more; it still answers the offers it has.
  void leave(worker_id id);
  /// The worker's link has ended: what it was offered is pending again. Returns how many that are.
  std::size_t lost(worker_id id);
  /// The same, but nobody can know what it had taken: those connections are given up.
  std::vector<connection_id> abandoned(worker_id id);

  /// The acceptor grants `count` credits, and has `open` connections. False if it has no right to:
  /// the protocol is broken.
  bool grant(worker_id id, acceptor_id acceptor, std::uint32_t count, std::uint32_t open = 0);
  void arrived(arrival const& what) { policy_->arrived(what); }
  /// The worker's answers to an offer. False if it has no such offer.
  bool took(worker_id id, connection_id connection);
  bool refused(worker_id id, connection_id connection);

  /// Whether somebody has an offer to answer who is not alone here.
  bool may_recall() const noexcept { return offered_ > 0 && members_.size() > 1; }
  /// The workers that have not answered since the look before the last, while another one could.
  std::vector<worker_id> silent();
  /// The worker has lost the offers that it had not answered: they are pending again. Returns how
  /// many that are.
  std::size_t recalled(worker_id id);

  /// The next connection and the worker it goes to, while there are both.
  std::optional<offer> next();
  /// Everything that is pending, which is then no longer here.
  std::vector<connection_id> take_pending() { return policy_->take_pending(); }

  std::size_t pending() const { return policy_->pending(); }
  std::size_t offered() const noexcept { return offered_; }
  /// How many workers accept here.
  std::size_t accepting() const noexcept { return accepting_; }
  bool accepts(worker_id id) const noexcept;
  bool empty() const noexcept { return members_.empty(); }

 private:
  struct member {
    acceptor_id acceptor{};
    bool accepting = false;
    std::uint32_t credits = 0;
    bool is_listed = false;  // in spare_
    bool is_silent = false;  // gets nothing until it grants a credit, or says that it lives
    unsigned looks = 0;      // since its last answer
    std::vector<arrival> offered;
  };
  using members = std::unordered_map<worker_id, member>;

  static bool has_credit(member const& one) noexcept { return one.credits > 0 && !one.is_silent; }
  /// A member with room is ready if it has answered all, else spare.
  void has_room(members::iterator at);
  /// Nobody is ready: all that are spare become so.
  bool lend();
  /// The member leaves for good once it has nothing to answer.
  void erase_if_done(members::iterator at);
  /// Takes the offer out of those that are open.
  std::optional<arrival> answered(members::iterator at, connection_id connection);
  std::vector<arrival> take_offers(worker_id id);
  void stop_accepting(members::iterator at);

  std::unique_ptr<policy> policy_;
  members members_;
  // Workers that had credit and offers to answer: their loops may be blocked. They get more only
  // while connections wait and nobody else has room.
  std::vector<worker_id> spare_;
  std::size_t offered_ = 0;
  std::size_t accepting_ = 0;
};

}  // namespace prong::core

// A client's connections all go to one worker, for as long as its slot is there.
//
// Each slot has a weight for each address (rendezvous hashing), and the highest weight wins. So
// when a slot goes only its own clients move, and when it comes again they move back. A connection
// waits for its worker alone, and holds up nobody else's.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/policy/policy.hpp"

#include <deque>
#include <map>

namespace prong::core {

class sticky final : public policy {
 public:
  void join(worker_id id, std::size_t slot) override;
  void leave(worker_id id) override;
  void ready(worker_id id) override;
  void load(worker_id, std::uint64_t) override {}
  void give_back(worker_id) override {}

  void arrived(arrival const& what) override;
  void returned(std::span<arrival const> what) override;
  std::optional<turn> next() override;
  std::size_t pending() const override { return pending_; }
  std::vector<connection_id> take_pending() override;

 private:
  struct place {
    std::uint64_t salt = 0;  // by its slot
    bool is_ready = false;
    bool is_listed = false;  // in runnable_
    arrivals queue{};
  };
  using workers = std::map<worker_id, place>;

  /// Who is to have it; where a slot has two workers, the younger one. `end` if there is nobody.
  workers::iterator owner_of(arrival const& what);
  arrivals& queue_of(workers::iterator at) {
    return at == workers_.end() ? nobodys_ : at->second.queue;
  }
  void list(workers::iterator at);
  /// Each goes to the end of the queue where it belongs.
  void place_anew(arrivals const& what);

  workers workers_;
  arrivals nobodys_;  // wait while there is no worker
  std::deque<worker_id> runnable_;
  std::size_t pending_ = 0;
};

/// An address as the policy sees it: IPv4 is the same in whichever clothes it comes. A connection
/// without an address is a client of its own.
std::uint64_t client_key(arrival const& what) noexcept;

}  // namespace prong::core

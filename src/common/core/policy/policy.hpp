// Which worker gets the next connection of a listener: the dispatcher knows who may have how many,
// a policy holds those that wait, and chooses.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/arrivals.hpp"

#include <prong/options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace prong::core {

class policy {
 public:
  struct turn {
    worker_id to{};
    arrival what;
  };

  policy() = default;
  policy(policy const&) = delete;
  policy& operator=(policy const&) = delete;
  virtual ~policy() = default;

  /// A worker accepts here, and is not ready yet; or does no more.
  virtual void join(worker_id id, std::size_t slot) = 0;
  virtual void leave(worker_id id) = 0;
  /// The worker has room for one connection. Says so again, and nothing changes.
  virtual void ready(worker_id id) = 0;
  /// The worker has this many connections, those on their way to it included. The policy counts on
  /// with `next` and `give_back`.
  virtual void load(worker_id id, std::uint64_t connections) = 0;
  /// The worker, which may have left, did not take the connection of its last turn.
  virtual void give_back(worker_id id) = 0;

  virtual void arrived(arrival const& what) = 0;
  /// These wait again, in front.
  virtual void returned(std::span<arrival const> what) = 0;
  /// A connection that waits, and a worker that is ready, which it then is no more.
  virtual std::optional<turn> next() = 0;
  virtual std::size_t pending() const = 0;
  /// Everything that waits, which then waits no more.
  virtual std::vector<connection_id> take_pending() = 0;
};

/// The policy for one listener. Where the primary does not accept it has nothing to do.
std::unique_ptr<policy> make_policy(scheduling which, worker_choice const& choose);

/// Whether the policy goes by how many connections workers have.
bool goes_by_load(scheduling which) noexcept;
/// Whether it goes by who the client is.
bool goes_by_client(scheduling which) noexcept;
/// Whether workers take TCP connections by themselves.
bool workers_accept(scheduling which) noexcept;

}  // namespace prong::core

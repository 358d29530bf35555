// The policies for which all connections are alike: the first that waits goes to whom `Choice`
// names among the workers that have room.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/policy/policy.hpp"

namespace prong::core {

template <class Choice>
class in_order final : public policy {
 public:
  void join(worker_id id, std::size_t) override { choice_.join(id); }
  void leave(worker_id id) override { choice_.leave(id); }
  void ready(worker_id id) override { choice_.ready(id); }
  void load(worker_id id, std::uint64_t connections) override {
    if constexpr (requires { choice_.load(id, connections); }) choice_.load(id, connections);
  }
  void give_back(worker_id id) override { choice_.give_back(id); }

  void arrived(arrival const& what) override { pending_.push_back(what); }
  void returned(std::span<arrival const> what) override { pending_.push_front(what); }
  std::optional<turn> next() override {
    if (pending_.empty()) return std::nullopt;
    auto const chosen = choice_.choose();
    if (!chosen) return std::nullopt;
    return turn{*chosen, pending_.pop_front()};
  }
  std::size_t pending() const override { return pending_.size(); }
  std::vector<connection_id> take_pending() override { return pending_.take_all(); }

 private:
  Choice choice_;
  arrivals pending_;
};

}  // namespace prong::core

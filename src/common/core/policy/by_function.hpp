// The user's function says which worker gets a connection.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/policy/policy.hpp"

#include <unordered_map>
#include <utility>

namespace prong::core {

class by_function final : public policy {
 public:
  explicit by_function(worker_choice choose) : choose_(std::move(choose)) {}

  void join(worker_id id, std::size_t slot) override;
  void leave(worker_id id) override;
  void ready(worker_id id) override;
  void load(worker_id id, std::uint64_t connections) override;
  void give_back(worker_id id) override;

  void arrived(arrival const& what) override { pending_.push_back(what); }
  void returned(std::span<arrival const> what) override;
  std::optional<turn> next() override;
  std::size_t pending() const override { return pending_.size(); }
  std::vector<connection_id> take_pending() override;

 private:
  std::vector<candidate>::iterator find_ready(worker_id id);
  void count(worker_id id, std::size_t connections);

  worker_choice choose_;
  std::unordered_map<worker_id, candidate> workers_;
  std::vector<candidate> ready_;
  arrivals pending_;
  std::size_t asked_ = 0;  // of those that wait, how many the function has let wait
};

}  // namespace prong::core

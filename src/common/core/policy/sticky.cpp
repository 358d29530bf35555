// A client's connections all go to one worker.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/sticky.hpp"

#include <boost/asio/ip/address.hpp>
#include <utility>

namespace prong::core {
namespace {

// Spreads all bits over all others: multiplying carries them up, shifting brings them down.
std::uint64_t mix(std::uint64_t value) noexcept {
  for (int round = 0; round < 3; ++round) {
    value ^= value >> 32;
    value *= 0x9e37'79b9'7f4a'7c15;  // 2^64 divided by the golden ratio, which is odd
  }
  return value ^ value >> 32;
}

template <class Bytes>
std::uint64_t hash(Bytes const& bytes) noexcept {
  std::uint64_t sum = 0;
  for (auto const each : bytes) sum = mix(sum + each + 1);
  return sum;
}

}  // namespace

std::uint64_t client_key(arrival const& what) noexcept {
  auto const address = what.from.address();
  if (address.is_unspecified()) return mix(static_cast<std::uint64_t>(what.connection));
  if (address.is_v4()) return hash(address.to_v4().to_bytes());
  auto const v6 = address.to_v6();
  if (v6.is_v4_mapped()) return hash(asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_bytes());
  return hash(v6.to_bytes());
}

void sticky::join(worker_id id, std::size_t slot) {
  workers_[id].salt = mix(slot + 1);
  auto const were_nobodys = std::exchange(nobodys_, {});
  std::vector<arrivals> queues;
  for (auto& [_, each] : workers_) queues.push_back(std::exchange(each.queue, {}));
  place_anew(were_nobodys);
  for (auto const& each : queues) place_anew(each);
}

void sticky::leave(worker_id id) {
  auto const left = workers_.extract(id);
  place_anew(left.mapped().queue);
}

void sticky::place_anew(arrivals const& what) {
  for (auto const& each : what.all()) {
    auto const at = owner_of(each);
    queue_of(at).push_back(each);
    list(at);
  }
}

sticky::workers::iterator sticky::owner_of(arrival const& what) {
  auto const key = client_key(what);
  auto owner = workers_.end();
  std::uint64_t highest = 0;
  for (auto at = workers_.begin(); at != workers_.end(); ++at) {
    auto const its_weight = mix(key ^ at->second.salt);
    if (owner != workers_.end() && its_weight < highest) continue;
    owner = at;
    highest = its_weight;
  }
  return owner;
}

// Whom `next` is to look at, once each.
void sticky::list(workers::iterator at) {
  if (at == workers_.end() || !at->second.is_ready || at->second.queue.empty()) return;
  if (!std::exchange(at->second.is_listed, true)) runnable_.push_back(at->first);
}

void sticky::ready(worker_id id) {
  auto const at = workers_.find(id);
  at->second.is_ready = true;
  list(at);
}

void sticky::arrived(arrival const& what) {
  ++pending_;
  auto const at = owner_of(what);
  queue_of(at).push_back(what);
  list(at);
}

void sticky::returned(std::span<arrival const> what) {
  pending_ += what.size();
  // The last one first, so that the first one ends up in front.
  for (auto left = what.size(); left > 0; --left) {
    auto const at = owner_of(what[left - 1]);
    queue_of(at).push_front(what.subspan(left - 1, 1));
    list(at);
  }
}

std::optional<policy::turn> sticky::next() {
  while (!runnable_.empty()) {
    auto const id = runnable_.front();
    runnable_.pop_front();
    auto const at = workers_.find(id);
    if (at == workers_.end()) continue;
    at->second.is_listed = false;
    if (!at->second.is_ready || at->second.queue.empty()) continue;
    at->second.is_ready = false;
    --pending_;
    return turn{id, at->second.queue.pop_front()};
  }
  return std::nullopt;
}

std::vector<connection_id> sticky::take_pending() {
  pending_ = 0;
  auto all = nobodys_.take_all();
  for (auto& [_, each] : workers_) {
    auto const its = each.queue.take_all();
    all.insert(all.end(), its.begin(), its.end());
  }
  return all;
}

}  // namespace prong::core

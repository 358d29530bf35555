// The primary's sockets of accepted connections, by the id that the core knows them by. A slot is
// used again after its connection is forgotten, with another id.
//
// A worker knows a connection by another id, which is new with each offer and half random. So a
// broken worker cannot answer an offer before it has got it: the socket would be closed while a
// frame that is on its way still carries it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/assert.hpp"
#include "common/core/types.hpp"
#include "common/os/socket.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace prong {

class connection_table {
 public:
  explicit connection_table(std::uint_fast32_t seed) : random_(seed) {}

  core::connection_id add(os::socket connection) {
    std::size_t at = slots_.size();
    if (free_.empty()) {
      slots_.emplace_back();
    } else {
      at = free_.back();
      free_.pop_back();
    }
    slots_[at].connection = std::move(connection);
    slots_[at].use = ++uses_;
    return core::connection_id{std::uint64_t{slots_[at].use} << 32 | at};
  }

  /// What the connection is called in an offer, from now on and until it is offered again.
  std::uint64_t name_for_offer(core::connection_id id) {
    auto& at = slot_of(id);
    at.name = static_cast<std::uint32_t>(random_()) | 1u;  // no name is 0
    return std::uint64_t{at.name} << 32 | (static_cast<std::uint64_t>(id) & low_half);
  }
  /// The connection that was offered by this name; one that is not here if there is none.
  core::connection_id named(std::uint64_t name) const noexcept {
    auto const at = static_cast<std::size_t>(name & low_half);
    bool const found = at < slots_.size() && slots_[at].connection && slots_[at].name == name >> 32;
    return found ? core::connection_id{std::uint64_t{slots_[at].use} << 32 | at}
                 : core::connection_id{};
  }

  os::native_socket get(core::connection_id id) { return slot_of(id).connection.get(); }

  void erase(core::connection_id id) {
    auto& at = slot_of(id);
    at.connection.reset();
    at.name = 0;
    free_.push_back(static_cast<std::size_t>(&at - slots_.data()));
  }

  void clear() {
    slots_.clear();
    free_.clear();
  }

  std::size_t size() const noexcept { return slots_.size() - free_.size(); }

 private:
  static constexpr std::uint64_t low_half = 0xffff'ffff;
  struct slot {
    os::socket connection;
    std::uint32_t use = 0;
    std::uint32_t name = 0;  // half of it; 0: not offered yet
  };

  slot& slot_of(core::connection_id id) {
    auto const number = static_cast<std::uint64_t>(id);
    auto const at = static_cast<std::size_t>(number & low_half);
    PRONG_ASSERT(at < slots_.size() && slots_[at].use == number >> 32 && slots_[at].connection,
                 "I10");
    return slots_[at];
  }

  std::mt19937 random_;
  std::uint32_t uses_ = 0;
  std::vector<slot> slots_;
  std::vector<std::size_t> free_;
};

}  // namespace prong

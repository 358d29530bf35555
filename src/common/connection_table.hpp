// The primary's sockets of accepted connections, by the id that the core knows them by. A slot is
// used again after its connection is forgotten; the id is not.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/assert.hpp"
#include "common/core/types.hpp"
#include "common/os/socket.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace prong {

class connection_table {
 public:
  core::connection_id add(os::socket connection) {
    std::size_t at = slots_.size();
    if (free_.empty()) {
      slots_.emplace_back();
    } else {
      at = free_.back();
      free_.pop_back();
    }
    slots_[at].connection = std::move(connection);
    return core::connection_id{std::uint64_t{slots_[at].use} << 32 | at};
  }

  os::native_socket get(core::connection_id id) { return slot_of(id).connection.get(); }

  void erase(core::connection_id id) {
    auto& at = slot_of(id);
    at.connection.reset();
    ++at.use;
    free_.push_back(static_cast<std::size_t>(&at - slots_.data()));
  }

  std::size_t size() const noexcept { return slots_.size() - free_.size(); }

 private:
  struct slot {
    os::socket connection;
    std::uint32_t use = 0;
  };

  slot& slot_of(core::connection_id id) {
    auto const number = static_cast<std::uint64_t>(id);
    auto const at = static_cast<std::size_t>(number & 0xffff'ffffu);
    PRONG_ASSERT(at < slots_.size() && slots_[at].use == number >> 32 && slots_[at].connection,
                 "I10");
    return slots_[at];
  }

  std::vector<slot> slots_;
  std::vector<std::size_t> free_;
};

}  // namespace prong

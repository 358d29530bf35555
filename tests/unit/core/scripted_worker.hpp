// A worker's core with a script around it: what the primary says, and what the core wants because
// of it. SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/convert.hpp"
#include "common/core/worker_core.hpp"
#include "support/actions.hpp"
#include "support/catch.hpp"
#include "support/request.hpp"

namespace prong::core {

struct scripted_worker {
  using actions = std::vector<any_worker_action>;
  using connections = std::vector<std::uint64_t>;

  worker_core core{worker_id{3}, 4'711};

  scripted_worker() { done(); }  // the hello

  static endpoint port(unsigned short number) { return {asio::ip::address_v4::loopback(), number}; }
  static connections refusals(actions const& all) {
    connections refused;
    for (auto const& each : test::only<worker_action::refuse>(all))
      refused.push_back(static_cast<std::uint64_t>(each.connection));
    return refused;
  }

  actions done() { return test::drain(core); }
  bool hears(wire::control const& what, bool has_socket = false) {
    return core.on_control(what, has_socket);
  }
  acceptor_id asks(unsigned short number = 80) {
    auto const id = core.add_acceptor();
    core.listen(id, test::request(port(number)));
    return id;
  }
  acceptor_id listens(unsigned short number = 80, bool shared = false) {
    auto const id = asks(number);
    REQUIRE(hears(wire::listening{static_cast<std::uint64_t>(id), to_wire(port(number)), shared},
                  shared));
    turn();
    done();
    return id;
  }
  bool is_offered(acceptor_id to, std::uint64_t connection, bool has_socket = true) {
    return hears(wire::offer{connection, static_cast<std::uint64_t>(to), 0, false}, has_socket);
  }
  // The loop turns; what the core wants because of it.
  actions turn() {
    core.on_turn({});
    return done();
  }
  std::uint32_t credits_after_turn() {
    std::uint32_t sum = 0;
    for (auto const& each : test::frames<wire::credit>(turn())) sum += each.count;
    return sum;
  }
};

}  // namespace prong::core

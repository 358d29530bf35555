// Listening sockets with a script around them: who asks for them, what arrives there, and what the
// primary is to do because of it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/convert.hpp"
#include "common/core/listeners.hpp"
#include "support/actions.hpp"
#include "support/catch.hpp"
#include "support/request.hpp"

namespace prong::core {

struct scripted_listeners {
  static constexpr worker_id first{1};
  static constexpr worker_id second{2};
  static constexpr acceptor_id door{1};

  static endpoint port(unsigned short number) { return {asio::ip::address_v4::loopback(), number}; }

  explicit scripted_listeners(listeners::settings how = {scheduling::round_robin, false, 4})
      : ports(how, actions) {}

  action_queue actions;
  listeners ports;
  listener_id const opened{1};

  bool asks(worker_id id, endpoint const& where, acceptor_id acceptor = door,
            std::uint32_t index = 0) {
    return ports.listen(id, 0, to_wire(acceptor, test::request(where), index));
  }
  // Two workers that listen on one port; what it took is forgotten.
  void two_listen() {
    REQUIRE(asks(first, port(80)));
    ports.on_opened(opened, {}, port(80));
    REQUIRE(asks(second, port(80)));
    done();
  }
  void one_listens() {
    REQUIRE(asks(first, port(80)));
    ports.on_opened(opened, {}, port(80));
    done();
  }
  void arrive(std::uint64_t from, std::uint64_t to) {
    for (auto id = from; id <= to; ++id) ports.on_connection(opened, {connection_id{id}}, {});
  }
  bool credit(worker_id id, std::uint32_t count = 1) {
    return ports.credit(id, {static_cast<std::uint64_t>(door), count});
  }
  void pass(time_point until) {
    ports.on_time(until);
    ports.on_deadline();
  }
  std::vector<any_action> done() { return test::drain(actions); }
  std::vector<connection_id> forgotten() {
    std::vector<connection_id> all;
    for (auto const& each : test::only<action::forget>(done())) all.push_back(each.connection);
    return all;
  }
  // Where each connection that arrived has got to (I4).
  void check_conservation() {
    auto const& counted = ports.counted();
    CHECK(counted.arrived == ports.pending() + ports.offered() + counted.handed_over +
                                 counted.closed + counted.abandoned);
  }
};

struct keeping_listeners : scripted_listeners {
  keeping_listeners() : scripted_listeners({scheduling::round_robin, true, 4}) {}
};

}  // namespace prong::core

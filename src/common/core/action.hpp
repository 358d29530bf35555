// What a core may ask of its shell. The core decides; the shell, which owns sockets, processes
// and channels, does. Actions are carried out in their order.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/fifo.hpp"
#include "common/core/types.hpp"
#include "common/wire/control.hpp"

#include <prong/event.hpp>

#include <optional>
#include <variant>

namespace prong::core {

namespace action {

/// Start a worker's process, then call `on_spawned`. It has the fork options of `like`, if given.
struct spawn {
  worker_id id{};
  std::optional<worker_id> like;
};
/// Put a frame into the worker's link.
struct send {
  worker_id to{};
  wire::control what;
};
/// Send the connection's socket to the worker, and keep our own.
struct offer {
  worker_id to{};
  acceptor_id acceptor{};
  connection_id connection{};
  bool more_wait = false;
};
/// Recall what the worker was offered and has not taken, and call `on_recalled` if that could be.
struct recall {
  worker_id from{};
};
/// Tell the worker that it listens, with a handle of the listening socket to accept on.
struct share {
  worker_id to{};
  listener_id listener{};
  wire::listening what;
};
/// Look what the connection begins with, and call `on_proxy_header`.
struct look {
  listener_id listener{};
  connection_id connection{};
};
/// Close our socket of the connection: a worker has it, or nobody will.
struct forget {
  connection_id connection{};
};
/// Bind and listen, then call `on_listener_opened`.
struct open_listener {
  listener_id id{};
  listen_request what;
};
struct close_listener {
  listener_id id{};
};
struct start_accepting {
  listener_id id{};
};
struct stop_accepting {
  listener_id id{};
};
/// The worker's process has ended: let its link end after what it has written.
struct expect_link_end {
  worker_id id{};
};
/// End the link at once, unread, and call `on_link_closed`.
struct cut_link {
  worker_id id{};
};
struct kill {
  worker_id id{};
};
struct emit {
  event what;
};
/// The worker is gone: nothing will name it again.
struct retire {
  worker_id id{};
};
/// The reloads up to this number are done, or failed.
struct reload_finished {
  std::uint64_t number = 0;
  error_code result;
};
/// Shutdown is complete.
struct finished {};

}  // namespace action

using any_action =
    std::variant<action::spawn, action::send, action::offer, action::recall, action::share,
                 action::look, action::forget, action::open_listener, action::close_listener,
                 action::start_accepting, action::stop_accepting, action::expect_link_end,
                 action::cut_link, action::kill, action::emit, action::retire,
                 action::reload_finished, action::finished>;

using action_queue = fifo<any_action>;

}  // namespace prong::core

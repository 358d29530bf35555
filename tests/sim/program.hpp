// What simulated workers run: a small server on the worker's real shell, with habits that differ
// from worker to worker.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/acceptor_impl.hpp"
#include "common/worker_impl.hpp"
#include "sim/world.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace prong::sim {

struct habits {
  enum class kind {
    server,
    silent,       // never says hello, and never ends
    old_version,  // speaks no version of the protocol that the primary knows
  };
  kind is = kind::server;
  std::vector<std::uint16_t> ports{80};
  unsigned accepts = 1;  // operations that wait at once
  bool sends = false;    // messages, now and then
  bool reads = true;     // messages
  bool ignores_stop = false;
  bool keeps_connections = false;  // until it is told to stop
  bool has_grandchild = false;     // which holds the channel open
  bool misbehaves = false;         // sends frames that it must not send
};

class program : public resident {
 public:
  program(world& in, process& self, asio::io_context& io, habits what);
  program(program const&) = delete;
  program& operator=(program const&) = delete;
  ~program() override;

  bool wants_exit() const override { return exits_; }
  /// Something that programs do, drawn.
  void act();
  /// From here on it is a good server.
  void settle();
  /// Whether it has an operation that waits for connections on this port.
  bool waits_on(std::uint16_t port) const;
  bool stopping() const { return impl_ && impl_->stopping(); }
  habits const& character() const { return habits_; }

 private:
  struct slot {
    slot(std::shared_ptr<detail::acceptor_impl> what, std::uint16_t on,
         asio::any_io_executor const& io)
        : acceptor(std::move(what)), port(on), retry(io) {}
    std::shared_ptr<detail::acceptor_impl> acceptor;
    std::uint16_t port;
    os::timer retry;
    unsigned waiting = 0;
    bool open = true;
  };

  /// A connection that is open, and counts as such.
  struct open_connection {
    os::socket socket;
    std::shared_ptr<detail::acceptor_impl> acceptor;
  };

  void serve();
  void listen(slot& at);
  void accept(std::size_t number);
  void on_accepted(std::size_t number, error_code ec, os::socket connection);
  void retry(std::size_t number);
  void close(slot& at);
  void keep(slot& at, os::socket connection);
  void end_connection();
  void end_all_connections();
  void receive();
  void send();
  void on_stop();
  void misbehave();
  void inject(wire::control const& what);

  world& world_;
  process& self_;
  asio::io_context& io_;
  habits habits_;
  std::optional<os::channel> bare_;  // of those who run no worker
  std::shared_ptr<detail::worker_impl> impl_;
  std::vector<std::unique_ptr<slot>> slots_;
  std::vector<open_connection> connections_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> stays_;
  bool receiving_ = false;
  bool exits_ = false;
  bool settled_ = false;
};

}  // namespace prong::sim

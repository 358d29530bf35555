// The baselines: the same worker loop, fed by plain system calls.
// SPDX-License-Identifier: BSL-1.0
#include "linux/hand_off.hpp"
#include "linux/processes.hpp"
#include "source.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

namespace bench {
namespace {

/// One worker: a service, and a descriptor that says when there are connections.
class worker_loop {
 public:
  /// `one_at_a_time`: waits for more only when a connection has ended.
  worker_loop(int readable, bool one_at_a_time)
      : readable_(context_, readable),
        service_(one_at_a_time ? [this] { wait(); } : end_handler()) {}
  virtual ~worker_loop() = default;

  void run() {
    wait();
    context_.run();
  }

 protected:
  using end_handler = std::function<void()>;

  virtual void take() = 0;

  void wait() {
    readable_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code ec) {
      if (!ec) take();
    });
  }
  void serve(int connection) { service_.serve(tcp::socket(context_, tcp::v4(), connection)); }
  int readable() { return readable_.native_handle(); }

 private:
  asio::io_context context_{1};
  asio::posix::stream_descriptor readable_;
  service service_;
};

/// Takes all connections of a socket of its own.
class direct_loop : public worker_loop {
 public:
  explicit direct_loop(int listener) : worker_loop(listener, false) {}

 private:
  void take() override {
    for (int client; (client = accept_from(readable())) >= 0;) serve(client);
    wait();
  }
};

/// Takes one connection of a socket that others have too, and the next when that has ended.
class shared_queue_loop : public worker_loop {
 public:
  explicit shared_queue_loop(int listener) : worker_loop(listener, true) {}

 private:
  void take() override {
    int const client = accept_from(readable());
    if (client < 0) return wait();  // another worker was faster
    serve(client);
  }
};

/// Takes what the primary gives.
class hand_off_loop : public worker_loop {
 public:
  explicit hand_off_loop(int channel) : worker_loop(channel, false) {}

 private:
  void take() override {
    while (receive_connections(readable(), given_) > 0)
      for (int const each : given_) serve(each);
    wait();
  }

  std::vector<int> given_{};
};

void announce_and_wait(std::uint16_t port, workers const& all) {
  announce(port, {all.processes().begin(), all.processes().end()});
  wait_for_end();
}

}  // namespace

int run_direct(settings const& how) {
  int const keeps_the_port = bound_socket(0, true);
  auto const port = port_of(keeps_the_port);
  workers const all(how.workers, [port](std::size_t, int, auto const& is_ready) {
    int const listener = bound_socket(port, true);
    start_listening(listener);
    is_ready();
    direct_loop(listener).run();
  });
  announce_and_wait(port, all);
  return 0;
}

int run_shared_queue(settings const& how) {
  int const listener = bound_socket(0, false);
  start_listening(listener);
  workers const all(how.workers, [listener](std::size_t, int, auto const& is_ready) {
    is_ready();
    shared_queue_loop(listener).run();
  });
  announce_and_wait(port_of(listener), all);
  return 0;
}

int run_hand_off(settings const& how) {
  int const listener = bound_socket(0, false);
  start_listening(listener);
  workers const all(how.workers, [](std::size_t, int channel, auto const& is_ready) {
    is_ready();
    hand_off_loop(channel).run();
  });
  announce(port_of(listener), {all.processes().begin(), all.processes().end()});
  hand_off_all(listener, all.channels());
  return 0;
}

}  // namespace bench

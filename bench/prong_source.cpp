// The library as the source of connections, and no cluster at all: the same loop around an
// acceptor. SPDX-License-Identifier: BSL-1.0
#include "source.hpp"

#include <fmt/format.h>
#include <prong/prong.hpp>

#include <cstdio>

namespace bench {
namespace {

tcp::endpoint any_port() {
  return {asio::ip::address_v4::loopback(), 0};
}

template <class Acceptor>
class accept_loop {
 public:
  accept_loop(Acceptor& from, bool count) : from_(from), count_(count) { accept(); }

 private:
  void accept() {
    from_.async_accept([this](error_code ec, tcp::socket client) {
      if (ec == asio::error::operation_aborted) return;
      if (!ec) serve(std::move(client));
      accept();
    });
  }

  void serve(tcp::socket client) {
    if constexpr (requires { from_.count_connection(); })
      if (count_) return service_.serve(std::move(client), from_.count_connection());
    service_.serve(std::move(client));
  }

  Acceptor& from_;
  bool count_;
  service service_{};
};

int run_worker(settings const& how) {
  asio::io_context context(1);
  prong::worker self(context);
  prong::acceptor acceptor(self, any_port());
  accept_loop const loop(acceptor, how.count);
  context.run();
  return 0;
}

class prong_primary {
 public:
  explicit prong_primary(settings const& how) : primary_(context_, options_of(how)) {
    primary_.async_run([this](error_code) { context_.stop(); });
    next_event();
  }

  /// Until it is asked to end. The workers are then killed.
  int run() {
    end_watch const watch(context_);
    context_.run();
    return failed_ ? 1 : 0;
  }

 private:
  static prong::options options_of(settings const& how) {
    prong::options result;
    result.workers = how.workers;
    result.scheduling = how.scheduling;
    if (how.window != 0) result.window = how.window;
    result.worker.input = prong::stdio::null;  // the end of ours is ours to see
    return result;
  }

  void next_event() {
    primary_.async_next_event([this](error_code ec, prong::event what) {
      if (ec) return;
      std::visit([this](auto const& happened) { on(happened); }, what);
      next_event();
    });
  }

  void on(prong::worker_listening const& what) {
    auto const workers = primary_.workers();
    std::vector<prong::process_id> listening;
    for (auto const& each : workers)
      if (!each.endpoints.empty()) listening.push_back(each.process);
    if (announced_ || listening.size() < workers.size()) return;
    announced_ = true;
    announce(what.endpoint.port, listening);
  }
  void on(prong::worker_listen_failed const& what) { fail(prong::describe(what)); }
  void on(prong::worker_exited const& what) {
    if (!announced_) fail(prong::describe(what));
  }
  void on(auto const&) {}

  void fail(std::string const& why) {
    fmt::print(stderr, "bench_server: {}\n", why);
    failed_ = true;
    context_.stop();
  }

  asio::io_context context_{1};
  prong::primary primary_;
  bool announced_ = false;
  bool failed_ = false;
};

}  // namespace

int run_prong(settings const& how) {
  if (prong::is_worker()) return run_worker(how);
  return prong_primary(how).run();
}

int run_single(settings const& how) {
  asio::io_context context(1);
  tcp::acceptor acceptor(context, any_port());
  accept_loop const loop(acceptor, how.count);
  announce(acceptor.local_endpoint().port(), {prong::this_process()});
  end_watch const watch(context);
  context.run();
  return 0;
}

}  // namespace bench

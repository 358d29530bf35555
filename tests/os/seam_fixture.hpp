// What the tests of the seam share: running until something has happened, frames, pairs of
// connected sockets, and workers that are programs of this test binary.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"
#include "common/os/listener.hpp"
#include "common/os/process.hpp"
#include "support/catch.hpp"
#include "support/system.hpp"
#include "support/worker_body.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace prong::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using bytes = std::vector<std::byte>;
using completion = detail::handler<void(error_code)>;

/// Runs handlers until `done`. A test that hangs fails here, with its own name.
template <class Done>
void run_until(asio::io_context& io, Done done) {
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done()) {
    if (io.stopped()) io.restart();
    if (io.run_one_until(deadline) == 0) {
      throw std::runtime_error(io.stopped() ? "nothing is left that could happen" : "it hangs");
    }
  }
}

/// Runs one operation to its end. That its completion is never inline (C1) is checked each time.
template <class Start>
error_code run_operation(asio::io_context& io, Start start) {
  std::optional<error_code> result;
  bool starting = true;
  start(completion([&](error_code ec) {
    if (starting) throw std::logic_error("C1: completed inside the initiating call");
    result = ec;
  }));
  starting = false;
  run_until(io, [&] { return result.has_value(); });
  return *result;
}

bytes as_bytes(std::string_view text);
/// A payload in which every place looks different from its neighbours.
bytes pattern(std::size_t size, unsigned seed = 0);
/// One encoded frame.
bytes frame(std::uint64_t id, bytes const& payload = {}, std::uint16_t flags = 0);
void append(bytes& to, bytes const& what);

struct arrived {
  std::uint64_t id = 0;
  bytes payload;
  bool flagged = false;
  os::socket attached;

  std::string text() const {
    return {reinterpret_cast<char const*>(payload.data()), payload.size()};
  }
};

error_code send(asio::io_context& io, os::channel& link, bytes frames,
                std::vector<os::native_socket> const& sockets = {});
/// The same, and what the system takes in the call goes without an operation.
error_code send_now(asio::io_context& io, os::channel& link, bytes frames,
                    std::vector<os::native_socket> const& sockets);
/// The next frame, or why there is none.
error_code receive(asio::io_context& io, os::channel& link, arrived& into);
/// The next frame; throws if there is none.
arrived receive(asio::io_context& io, os::channel& link);
os::exit_status wait_for_exit(asio::io_context& io, os::process& process);

tcp::endpoint any_port();
/// A listener whose creation must succeed.
os::listener listen(asio::io_context& io, os::listen_request const& what);
/// Why there can be no such listener.
error_code failure_to_listen(asio::io_context& io, os::listen_request const& what);
/// The next connection of a listener.
os::socket accept(asio::io_context& io, os::listener& from);
tcp::socket adopt(asio::io_context& io, os::socket connection);

/// Reads without the risk of waiting for ever.
error_code read_exactly(asio::io_context& io, tcp::socket& from, void* into, std::size_t size);
/// The next byte; throws if none comes.
char read_byte(asio::io_context& io, tcp::socket& from);

/// Both ends of a connection: one as the seam has it, one as a client would.
struct connection {
  explicit connection(asio::io_context& io);
  os::socket server;
  tcp::socket client;
};

using variables = std::vector<std::pair<std::string, std::string>>;
os::program worker_called(std::string const& name, std::vector<std::string> arguments = {},
                          variables environment = {});
/// A worker that no test leaves behind, however it ends.
struct kill_and_reap {
  void operator()(os::spawned* worker) const noexcept {
    error_code ignored;
    worker->child.kill(ignored);
    delete worker;
  }
};
using worker_owner = std::unique_ptr<os::spawned, kill_and_reap>;

/// Starts a program of this test binary.
worker_owner start(asio::io_context& io, os::program const& what);
worker_owner start(asio::io_context& io, std::string const& name,
                   std::vector<std::string> arguments = {});

/// Everything that comes until the end of the stream.
std::string read_all(asio::io_context& io, os::output& from);

/// What most worker programs begin with.
struct worker_side {
  worker_side() : link(os::channel::inherited(io.get_executor(), failure)) {
    if (failure) throw boost::system::system_error(failure);
  }
  asio::io_context io;
  error_code failure;
  os::channel link;
};

/// In a worker: sends each text as a frame. The status to end with.
int tell(std::vector<std::string> const& texts);
/// The texts of a worker that ends after them.
std::vector<std::string> told_by(asio::io_context& io, os::program const& what);

}  // namespace prong::test

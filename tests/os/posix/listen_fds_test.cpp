// Sockets that systemd opened, found by their names.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/datagrams.hpp"
#include "os/seam_fixture.hpp"
#include "support/environment.hpp"
#include "support/request.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdlib>

namespace prong::test {
namespace {

using asio::ip::udp;
using given_names = std::vector<std::pair<int, std::string>>;  // by descriptor

// The environment of a service that was given sockets, from descriptor 3 on.
class given_sockets {
 public:
  explicit given_sockets(given_names const& given, process_id pid = os::this_process())
      : pid_("LISTEN_PID", std::to_string(pid)),
        count_("LISTEN_FDS", std::to_string(std::ranges::max(given).first - 2)),
        names_("LISTEN_FDNAMES", text_of(given)) {}

 private:
  static std::string text_of(given_names const& given) {
    std::string text;
    for (int fd = 3; fd <= std::ranges::max(given).first; ++fd) {
      for (auto const& [number, name] : given) text += number == fd ? name : "";
      text += ':';
    }
    text.pop_back();
    return text;
  }

  scoped_variable pid_;
  scoped_variable count_;
  scoped_variable names_;
};

os::listen_request called(std::string const& name) {
  auto what = request(endpoint());
  what.from.emplace(name);
  return what;
}

struct sockets {
  asio::io_context io;
  tcp::acceptor web{io, any_port()};
  tcp::acceptor web_too{io, any_port()};
  udp::socket dns{io, udp::endpoint(asio::ip::address_v4::loopback(), 0)};
  tcp::acceptor dns_too{io, any_port()};
  given_names names{{web.native_handle(), "web"},
                    {web_too.native_handle(), "web"},
                    {dns.native_handle(), "dns"},
                    {dns_too.native_handle(), "dns"}};
};

}  // namespace

TEST_CASE("a socket that systemd gave is found by its name, the first that fits", "[os][C15]") {
  sockets test;
  given_sockets const given(test.names);
  CHECK(listen(test.io, called("web")).local_endpoint() == endpoint(test.web.local_endpoint()));
  CHECK(listen(test.io, called("dns")).local_endpoint() == endpoint(test.dns_too.local_endpoint()));
  error_code ec;
  os::datagrams const datagrams(test.io.get_executor(), called("dns"), ec);
  REQUIRE_FALSE(ec);
  CHECK(datagrams.local_endpoint() == endpoint(test.dns.local_endpoint()));
  os::datagrams const wrong(test.io.get_executor(), called("web"), ec);
  CHECK(ec == asio::error::invalid_argument);
}

TEST_CASE("a name that systemd gave to nothing, or to another process, is not found", "[os]") {
  sockets test;
  auto const not_found = boost::system::errc::no_such_file_or_directory;
  CHECK(failure_to_listen(test.io, called("web")) == not_found);
  {
    given_sockets const given(test.names);
    CHECK(failure_to_listen(test.io, called("we")) == not_found);
    scoped_variable const fewer("LISTEN_FDS", std::to_string(test.web.native_handle() - 3));
    CHECK(failure_to_listen(test.io, called("web")) == not_found);
  }
  given_sockets const given(test.names, os::this_process() + 1);
  CHECK(failure_to_listen(test.io, called("web")) == not_found);
}

WORKER_PROGRAM(was_given_nothing) {
  auto const handles = open_handles();
  bool const expected = handles == expected_worker_handles();
  worker_side self;
  bool named = false;
  for (auto const* each : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    named = named || std::getenv(each) != nullptr;
  return expected && !named ? 0 : 1;
}

TEST_CASE("workers know nothing of the sockets that systemd gave to the primary", "[os][C5]") {
  sockets test;
  given_sockets const given(test.names);
  auto const listener = listen(test.io, called("web"));
  CHECK(wait_for_exit(test.io, start(test.io, "was_given_nothing")->child).code == 0);
}

TEST_CASE("a local socket that the process was given is served, and its file stays",
          "[os][C14][C15]") {
  using asio::local::stream_protocol;
  asio::io_context io;
  temporary_folder const folder;
  auto const path = (folder.path / "socket").string();
  stream_protocol::acceptor given(io, path);
  auto what = request(endpoint());
  what.from.emplace(given.native_handle());
  {
    auto listener = listen(io, what);
    CHECK(listener.local_endpoint() == endpoint(given.local_endpoint()));
    stream_protocol::socket client(io);
    client.connect(path);
    CHECK(accept(io, listener));
  }
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a local socket of datagrams is no UDP socket", "[os][C15]") {
  asio::io_context io;
  temporary_folder const folder;
  asio::local::datagram_protocol::socket given(io, (folder.path / "socket").string());
  auto what = request(endpoint());
  what.from.emplace(given.native_handle());
  error_code ec;
  os::datagrams const refused(io.get_executor(), what, ec);
  CHECK(ec == asio::error::invalid_argument);
}

TEST_CASE("a descriptor that is no socket is refused", "[os][C15]") {
  asio::io_context io;
  temporary_folder const folder;
  auto* const file = std::fopen((folder.path / "file").c_str(), "w");
  auto const before = open_handles();
  auto what = request(endpoint());
  what.from.emplace(before.back());
  CHECK(failure_to_listen(io, what) == asio::error::not_socket);
  CHECK(open_handles() == before);
  std::fclose(file);
}

}  // namespace prong::test

// Listeners on local sockets: their files, their permissions, and names without a file.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "support/request.hpp"
#include "support/temporary_folder.hpp"

#include <prong/error.hpp>

#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <fstream>

namespace prong::test {
namespace {

namespace fs = std::filesystem;
using asio::local::stream_protocol;

os::listen_request at(std::string const& path) {
  endpoint where;
  where.transport = transport::local;
  where.path = path;
  return request(where);
}

// Whether a client gets in, and a byte to it.
bool serves(asio::io_context& io, os::listener& listener, std::string const& path) {
  stream_protocol::socket client(io);
  client.connect(path);
  auto const server = accept(io, listener);
  char byte = 0;
  return write_byte(server.get(), 'x') && client.receive(asio::buffer(&byte, 1)) == 1 &&
         byte == 'x';
}

// What a primary leaves behind that was killed.
void leave_socket(asio::io_context& io, fs::path const& path) {
  stream_protocol::acceptor(io, path.string());
  REQUIRE(fs::is_socket(path));
}

struct working_folder {
  explicit working_folder(fs::path const& path) { fs::current_path(path); }
  working_folder(working_folder const&) = delete;
  working_folder& operator=(working_folder const&) = delete;
  ~working_folder() { fs::current_path(before); }

  fs::path const before = fs::current_path();
};

struct local_socket {
  asio::io_context io;
  temporary_folder folder;
  fs::path file = folder.path / "socket";
  std::string path = file.string();
};

}  // namespace

TEST_CASE("a listener on a local socket takes connections, and has its path", "[os]") {
  local_socket test;
  auto listener = listen(test.io, at(test.path));
  CHECK(listener.local_endpoint() == at(test.path).where);
  CHECK(serves(test.io, listener, test.path));
}

TEST_CASE("a worker accepts on a local socket that is shared with it", "[os]") {
  local_socket test;
  auto const listener = listen(test.io, at(test.path));
  auto worker = start(test.io, "accepts_on_shared_listener");
  error_code ec;
  auto const copy = listener.duplicate(ec);
  REQUIRE_FALSE(send(test.io, worker->link, frame(1, {}, wire::carries_socket), {copy.get()}));
  stream_protocol::socket client(test.io);
  client.connect(test.path);
  auto const server = receive(test.io, worker->link).attached;
  char byte = 0;
  CHECK(write_byte(server.get(), 'x'));
  CHECK(client.receive(asio::buffer(&byte, 1)) == 1);
  CHECK(wait_for_exit(test.io, worker->child).code == 0);
  CHECK(fs::is_socket(test.file));
}

TEST_CASE("a listener on a relative path says the absolute one", "[os]") {
  local_socket test;
  working_folder const here(test.folder.path);
  auto listener = listen(test.io, at("socket"));
  CHECK(listener.local_endpoint().path == (fs::current_path() / "socket").string());
  CHECK(serves(test.io, listener, "socket"));
}

TEST_CASE("a path that is too long for a socket is taken if it is short enough from here", "[os]") {
  local_socket test;
  auto const deep = test.folder.path / std::string(150, 'd');
  fs::create_directory(deep);
  auto const far = at((deep / "socket").string());
  CHECK(failure_to_listen(test.io, far) == boost::system::errc::filename_too_long);
  working_folder const here(deep);
  auto listener = listen(test.io, far);
  CHECK(listener.local_endpoint() == far.where);
  CHECK(serves(test.io, listener, "socket"));
  CHECK(failure_to_listen(test.io, at(std::string(150, 's'))) ==
        boost::system::errc::filename_too_long);
}

TEST_CASE("a local socket's file has the permissions that were asked for", "[os]") {
  local_socket test;
  auto const mode = GENERATE(0600u, 0666u);
  auto what = at(test.path);
  what.how.mode = mode;
  auto listener = listen(test.io, what);
  CHECK(fs::status(test.file).permissions() == static_cast<fs::perms>(mode));
}

TEST_CASE("a local socket on which a process listens is in use", "[os][C14]") {
  local_socket test;
  auto listener = listen(test.io, at(test.path));
  CHECK(failure_to_listen(test.io, at(test.path)) == asio::error::address_in_use);
  error_code ec;
  (void)listener.accept(ec);  // the question whether somebody listens
  CHECK(serves(test.io, listener, test.path));
}

TEST_CASE("a local socket on which nobody listens gives way", "[os][C14]") {
  local_socket test;
  leave_socket(test.io, test.file);
  auto listener = listen(test.io, at(test.path));
  CHECK(serves(test.io, listener, test.path));
}

TEST_CASE("what is no local socket of a listener is never removed", "[os][C14]") {
  local_socket test;
  SECTION("a file") {
    std::ofstream(test.file) << "precious";
    CHECK(failure_to_listen(test.io, at(test.path)) == asio::error::address_in_use);
    CHECK(fs::is_regular_file(test.file));
  }
  SECTION("a folder") {
    fs::create_directory(test.file);
    CHECK(failure_to_listen(test.io, at(test.path)) == asio::error::address_in_use);
    CHECK(fs::is_directory(test.file));
  }
  SECTION("a link, even to a socket on which nobody listens") {
    leave_socket(test.io, test.folder.path / "other");
    fs::create_symlink(test.folder.path / "other", test.file);
    CHECK(failure_to_listen(test.io, at(test.path)) == asio::error::address_in_use);
    CHECK(fs::is_symlink(test.file));
    CHECK(fs::is_socket(test.folder.path / "other"));
  }
  SECTION("a socket for datagrams") {
    asio::local::datagram_protocol::socket const other(test.io, test.path);
    CHECK(failure_to_listen(test.io, at(test.path)) == asio::error::address_in_use);
    CHECK(fs::is_socket(test.file));
  }
}

TEST_CASE("a local socket's file goes with the listener that made it", "[os][C14]") {
  local_socket test;
  std::optional<os::listener> listener = listen(test.io, at(test.path));
  error_code ec;
  std::optional<os::listener> duplicate;
  duplicate.emplace(test.io.get_executor(), listener->duplicate(ec), ec);
  REQUIRE_FALSE(ec);
  CHECK(duplicate->local_endpoint() == listener->local_endpoint());
  duplicate.reset();
  CHECK(fs::exists(test.file));
  auto moved = std::move(*listener);
  listener.reset();
  CHECK(fs::exists(test.file));
  listener = std::move(moved);
  listener.reset();
  CHECK_FALSE(fs::exists(test.file));
}

TEST_CASE("a file that has taken a local socket's place stays", "[os][C14]") {
  local_socket test;
  std::optional<os::listener> listener = listen(test.io, at(test.path));
  fs::remove(test.file);
  auto const successor = listen(test.io, at(test.path));
  listener.reset();
  CHECK(fs::is_socket(test.file));
}

TEST_CASE("a local socket that cannot be is an error, and leaves nothing behind", "[os]") {
  local_socket test;
  CHECK(failure_to_listen(test.io, at("")) == asio::error::invalid_argument);
  CHECK(failure_to_listen(test.io, at(test.path + std::string("\0x", 2))) ==
        asio::error::invalid_argument);
  CHECK(failure_to_listen(test.io, at((test.file / "below").string())) ==
        boost::system::errc::no_such_file_or_directory);
  auto divided = at(test.path);
  divided.how.reuse_port = true;
  CHECK(failure_to_listen(test.io, divided) == errc::not_supported);
  CHECK(fs::is_empty(test.folder.path));
}

TEST_CASE("a local socket may have a name that is no file, or the system knows no such names",
          "[os][C14]") {
  local_socket test;
  auto const name = '\0' + test.path;
  if (!has_abstract_names()) {
    CHECK(failure_to_listen(test.io, at(name)) == errc::not_supported);
    return;
  }
  std::optional<os::listener> listener = listen(test.io, at(name));
  CHECK(listener->local_endpoint() == at(name).where);
  CHECK(serves(test.io, *listener, name));
  CHECK(failure_to_listen(test.io, at(name)) == asio::error::address_in_use);
  listener.reset();
  CHECK_FALSE(failure_to_listen(test.io, at(name)));
  auto private_name = at(name);
  private_name.how.mode = 0600;
  CHECK(failure_to_listen(test.io, private_name) == asio::error::invalid_argument);
  CHECK(failure_to_listen(test.io, at('\0' + std::string(150, 'n'))) ==
        boost::system::errc::filename_too_long);
}

}  // namespace prong::test

// What the tests of the seam share.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "support/request.hpp"

#include <array>

namespace prong::test {

bytes as_bytes(std::string_view text) {
  auto const* const begin = reinterpret_cast<std::byte const*>(text.data());
  return {begin, begin + text.size()};
}

bytes pattern(std::size_t size, unsigned seed) {
  bytes result(size);
  unsigned state = seed + 1;
  for (auto& place : result) {
    state = state * 1664525u + 1013904223u;
    place = static_cast<std::byte>(state >> 24);
  }
  return result;
}

bytes frame(std::uint64_t id, bytes const& payload, std::uint16_t flags) {
  wire::frame_header header;
  header.length = static_cast<std::uint32_t>(payload.size());
  header.kind = static_cast<std::uint16_t>(wire::frame_kind::message);
  header.flags = flags;
  header.id = id;
  bytes result(wire::header_size);
  header.encode(std::span(result).first<wire::header_size>());
  append(result, payload);
  return result;
}

void append(bytes& to, bytes const& what) {
  to.insert(to.end(), what.begin(), what.end());
}

error_code send(asio::io_context& io, os::channel& link, bytes frames,
                std::vector<os::native_socket> const& sockets) {
  return run_operation(io, [&](completion then) {
    link.async_send({frames, sockets}, std::move(then));
  });
}

error_code send_now(asio::io_context& io, os::channel& link, bytes frames,
                    std::vector<os::native_socket> const& sockets) {
  if (link.send_now({frames, sockets})) return {};
  return send(io, link, std::move(frames), sockets);  // the bytes stay where they are
}

error_code receive(asio::io_context& io, os::channel& link, arrived& into) {
  os::received next;
  if (!link.next(next)) {
    auto const ec =
        run_operation(io, [&](completion then) { link.async_receive(std::move(then)); });
    // What the other end had left is found at the end, too.
    if (!link.next(next)) {
      if (ec) return ec;
      throw std::logic_error("async_receive completed without a frame");
    }
  }
  into.id = next.frame.header.id;
  into.payload.assign(next.frame.payload.begin(), next.frame.payload.end());
  into.flagged = next.frame.has_socket();
  into.attached = std::move(next.attached);
  return {};
}

arrived receive(asio::io_context& io, os::channel& link) {
  arrived result;
  if (auto const ec = receive(io, link, result)) throw boost::system::system_error(ec);
  return result;
}

os::exit_status wait_for_exit(asio::io_context& io, os::process& process) {
  std::optional<os::exit_status> result;
  error_code failure;
  bool starting = true;
  process.async_wait(detail::handler<void(error_code, os::exit_status)>(
      [&](error_code ec, os::exit_status status) {
        if (starting) throw std::logic_error("C1: completed inside the initiating call");
        failure = ec;
        result = status;
      }));
  starting = false;
  run_until(io, [&] { return result.has_value(); });
  if (failure) throw boost::system::system_error(failure);
  return *result;
}

tcp::endpoint any_port() {
  return {asio::ip::address_v4::loopback(), 0};
}

os::listener listen(asio::io_context& io, os::listen_request const& what) {
  error_code ec;
  os::listener result(io.get_executor(), what, ec);
  if (ec) throw boost::system::system_error(ec);
  return result;
}

error_code failure_to_listen(asio::io_context& io, os::listen_request const& what) {
  error_code ec;
  os::listener const refused(io.get_executor(), what, ec);
  return ec;
}

os::socket accept(asio::io_context& io, os::listener& from) {
  for (;;) {
    error_code ec;
    auto result = from.accept(ec);
    if (result) return result;
    if (ec == asio::error::would_block) {
      ec = run_operation(io, [&](completion then) { from.async_wait(std::move(then)); });
    }
    if (ec) throw boost::system::system_error(ec);
  }
}

tcp::socket adopt(asio::io_context& io, os::socket connection) {
  tcp::socket result(io);
  result.assign(tcp::v4(), connection.get());
  connection.release();
  return result;
}

error_code read_exactly(asio::io_context& io, tcp::socket& from, void* into, std::size_t size) {
  std::optional<error_code> result;
  asio::async_read(from, asio::buffer(into, size),
                   [&](error_code ec, std::size_t) { result = ec; });
  run_until(io, [&] { return result.has_value(); });
  return *result;
}

char read_byte(asio::io_context& io, tcp::socket& from) {
  char byte = 0;
  if (auto const ec = read_exactly(io, from, &byte, 1)) throw boost::system::system_error(ec);
  return byte;
}

connection::connection(asio::io_context& io) : client(io) {
  auto listener = listen(io, request(any_port()));
  client.connect(listener.local_endpoint().tcp());
  server = accept(io, listener);
}

os::program worker_called(std::string const& name, std::vector<std::string> arguments,
                          variables environment) {
  error_code ec;
  os::program result = os::this_program(ec);
  if (ec) throw boost::system::system_error(ec);
  result.arguments = std::move(arguments);
  result.environment = std::move(environment);
  result.environment.emplace_back(worker_program_variable, name);
  result.environment.emplace_back(os::worker_id_variable, "1");
  return result;
}

worker_owner start(asio::io_context& io, os::program const& what) {
  error_code ec;
  auto result = os::spawn(io.get_executor(), what, ec);
  if (ec) throw boost::system::system_error(ec);
  return worker_owner(result.release());
}

worker_owner start(asio::io_context& io, std::string const& name,
                   std::vector<std::string> arguments) {
  return start(io, worker_called(name, std::move(arguments)));
}

std::string read_all(asio::io_context& io, os::output& from) {
  std::string all;
  std::array<std::byte, 4'096> buffer;
  for (;;) {
    std::size_t count = 0;
    auto const ec = run_operation(io, [&](completion then) {
      auto note = [&, then = std::move(then)](error_code failure, std::size_t size) mutable {
        count = size;
        then(failure);
      };
      from.async_read_some(buffer, detail::handler<void(error_code, std::size_t)>(std::move(note)));
    });
    if (ec == asio::error::eof) return all;
    if (ec) throw boost::system::system_error(ec);
    all.append(reinterpret_cast<char const*>(buffer.data()), count);
  }
}

int tell(std::vector<std::string> const& texts) {
  worker_side self;
  bytes frames;
  for (auto const& text : texts) append(frames, frame(0, as_bytes(text)));
  return send(self.io, self.link, frames) ? 1 : 0;
}

std::vector<std::string> told_by(asio::io_context& io, os::program const& what) {
  auto worker = start(io, what);
  std::vector<std::string> result;
  for (arrived next; !receive(io, worker->link, next);) result.push_back(next.text());
  CHECK(wait_for_exit(io, worker->child).code == 0);
  return result;
}

}  // namespace prong::test

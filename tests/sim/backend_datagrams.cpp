// The seam's UDP sockets: the simulated world has none.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/datagrams.hpp"
#include "sim/backend.hpp"

#include <prong/error.hpp>

#include <cstdlib>

namespace prong::os {
namespace {

[[noreturn]] void none_exists() {
  sim::system::current().fail("UDP", "there is none in the simulation");
  std::abort();
}

}  // namespace

class datagrams::impl {};

datagrams::datagrams(asio::any_io_executor, detail::listen_request const&, error_code& ec) {
  ec = errc::not_supported;
}
datagrams::datagrams(asio::any_io_executor, socket, error_code& ec) {
  ec = errc::not_supported;
}
datagrams::datagrams(datagrams&&) noexcept = default;
datagrams& datagrams::operator=(datagrams&&) noexcept = default;
datagrams::~datagrams() = default;

endpoint datagrams::local_endpoint() const {
  none_exists();
}
socket datagrams::duplicate(error_code&) const {
  none_exists();
}
void datagrams::async_wait(detail::handler<void(error_code)>) {
  none_exists();
}
std::size_t datagrams::receive(std::span<std::byte>, asio::ip::udp::endpoint&, error_code&) {
  none_exists();
}
void datagrams::send(std::span<std::byte const>, asio::ip::udp::endpoint const&, error_code&) {
  none_exists();
}
void datagrams::cancel() noexcept {
  none_exists();
}

}  // namespace prong::os

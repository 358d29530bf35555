// Values of the public interface and of the wire.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/convert.hpp"

#include "support/catch.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

endpoint at(char const* address, unsigned short port) {
  return {asio::ip::make_address(address), port};
}

TEST_CASE("an endpoint comes back from the wire as it was", "[unit][convert]") {
  for (auto const& each : {at("0.0.0.0", 0), at("127.0.0.1", 8080), at("255.254.253.252", 65535),
                           at("::", 0), at("::1", 443), at("2001:db8::8:800:200c:417a", 1)})
    CHECK(from_wire(to_wire(each)) == each);
}

TEST_CASE("a link-local address keeps its scope", "[unit][convert]") {
  auto address = asio::ip::make_address_v6("fe80::1");
  address.scope_id(3);
  endpoint const here{address, 80};
  CHECK(from_wire(to_wire(here)) == here);
  CHECK(to_wire(here).scope == 3);
}

TEST_CASE("an address has its bytes in the order of the network", "[unit][convert]") {
  auto const v4 = to_wire(at("1.2.3.4", 5));
  CHECK_FALSE(v4.v6);
  CHECK(v4.port == 5);
  CHECK(v4.bytes == std::array<std::uint8_t, 16>{1, 2, 3, 4});
  auto const v6 = to_wire(at("102:304::f", 5));
  CHECK(v6.v6);
  CHECK(v6.bytes == std::array<std::uint8_t, 16>{1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15});
}

TEST_CASE("an error of the system or of prong comes back as it was", "[unit][convert]") {
  for (error_code const each : {error_code(asio::error::address_in_use), error_code(),
                                make_error_code(errc::start_timeout)})
    CHECK(from_wire(to_wire(each)) == each);
}

TEST_CASE("an error of another category is an invalid argument on the wire", "[unit][convert]") {
  CHECK(from_wire(to_wire(error_code(asio::error::eof))) == asio::error::invalid_argument);
}

}  // namespace
}  // namespace prong::core

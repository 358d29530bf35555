// The PROXY protocol's header: what it says, what may become one, and what is none.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/proxy_header.hpp"

#include "support/catch.hpp"

#include <random>
#include <string>
#include <string_view>

namespace prong::core {
namespace {

using asio::ip::tcp;
using state = proxy_header::state;

proxy_header read(std::string_view text) {
  // Alone in its own memory, so that a sanitizer sees any read beyond it.
  std::vector<std::byte> exact(text.size());
  std::ranges::copy(std::as_bytes(std::span(text)), exact.begin());
  return read_proxy_header(exact);
}

tcp::endpoint client(char const* address, std::uint16_t port) {
  return {asio::ip::make_address(address), port};
}

std::string binary(unsigned version_and_command, unsigned family_and_protocol,
                   std::string const& rest) {
  std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
  text += static_cast<char>(version_and_command);
  text += static_cast<char>(family_and_protocol);
  text += static_cast<char>(rest.size() >> 8);
  text += static_cast<char>(rest.size());
  return text + rest;
}

std::string v4_addresses() {
  return {"\x0a\x01\x02\x03\x0a\x04\x05\x06\x12\x34\x01\xbb", 12};
}
std::string v6_addresses() {
  return "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\x01" + std::string(16, '\xff') +
         "\x12\x34\x01\xbb";
}

std::vector<std::string> good_headers() {
  return {
      "PROXY TCP4 10.1.2.3 10.4.5.6 4660 443\r\n",
      "PROXY TCP6 2001:db8::1 ::ffff:10.4.5.6 4660 443\r\n",
      "PROXY UNKNOWN\r\n",
      "PROXY UNKNOWN ffff:ffff::1 ffff::1 65535 65535\r\n",
      binary(0x21, 0x11, v4_addresses()),
      binary(0x21, 0x21, v6_addresses()),
      binary(0x20, 0x00, ""),
  };
}

TEST_CASE("a PROXY header in words names its client", "[unit][proxy_header]") {
  auto const v4 = read("PROXY TCP4 10.1.2.3 10.4.5.6 4660 443\r\nGET /");
  CHECK(v4.is == state::whole);
  CHECK(v4.source == client("10.1.2.3", 4660));
  auto const v6 = read("PROXY TCP6 2001:db8::1 2001:DB8::2 4660 443\r\n");
  CHECK(v6.is == state::whole);
  CHECK(v6.source == client("2001:db8::1", 4660));
  std::string const longest =
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
  CHECK(longest.size() == longest_proxy_header);
  CHECK(read(longest).is == state::whole);
}

TEST_CASE("a PROXY header in bytes names its client", "[unit][proxy_header]") {
  auto const v4 = read(binary(0x21, 0x11, v4_addresses()));
  CHECK(v4.is == state::whole);
  CHECK(v4.source == client("10.1.2.3", 0x1234));
  auto const v6 = read(binary(0x21, 0x21, v6_addresses()));
  CHECK(v6.is == state::whole);
  CHECK(v6.source == client("2001:db8::1", 0x1234));
}

TEST_CASE("what comes after the addresses is not waited for", "[unit][proxy_header]") {
  auto const more = binary(0x21, 0x11, v4_addresses() + std::string(4'000, 'x'));
  CHECK(read(std::string_view(more).substr(0, 28)).is == state::whole);
  CHECK(read(more).source == client("10.1.2.3", 0x1234));
}

TEST_CASE("a proxy that speaks for itself, or does not know, names nobody",
          "[unit][proxy_header]") {
  for (auto const& each :
       {std::string("PROXY UNKNOWN\r\n"), std::string("PROXY UNKNOWN whatever it is\r\n"),
        binary(0x20, 0x11, v4_addresses()), binary(0x20, 0x00, ""), binary(0x21, 0x00, ""),
        binary(0x21, 0x31, std::string(216, 'u'))}) {
    auto const header = read(each);
    CHECK(header.is == state::whole);
    CHECK_FALSE(header.source);
  }
}

TEST_CASE("the beginning of a PROXY header may become one", "[unit][proxy_header]") {
  for (auto const& each : good_headers())
    for (std::size_t size = 0; size < each.size(); ++size) {
      INFO(each << " cut after " << size);
      CHECK(read(each.substr(0, size)).is == state::incomplete);
    }
}

TEST_CASE("what is no PROXY header is said to be none at once", "[unit][proxy_header]") {
  for (auto const& each : good_headers())
    for (std::size_t at = 0; at < std::min<std::size_t>(each.size(), 6); ++at) {
      auto wrong = each.substr(0, at + 1);
      wrong[at] = 'x';
      INFO(wrong);
      CHECK(read(wrong).is == state::invalid);
    }
  CHECK(read("GET / HTTP/1.1\r\n").is == state::invalid);
  CHECK(read("PROXY TCP4 " + std::string(200, '1')).is == state::invalid);
}

TEST_CASE("words that do not belong into a PROXY header are refused", "[unit][proxy_header]") {
  for (auto const* const each : {
           "PROXY \r\n",
           "PROXY TCP4\r\n",
           "PROXY TCP5 10.1.2.3 10.4.5.6 1 2\r\n",
           "PROXY tcp4 10.1.2.3 10.4.5.6 1 2\r\n",
           "PROXY TCP4 10.1.2.3 10.4.5.6 1\r\n",
           "PROXY TCP4 10.1.2.3 10.4.5.6 1 2 3\r\n",
           "PROXY TCP4  10.1.2.3 10.4.5.6 1 2\r\n",
           "PROXY TCP4 10.1.2.3 10.4.5.6 1 2 \r\n",
           "PROXY TCP4 10.1.2.3 10.4.5.6 1 65536\r\n",
           "PROXY TCP4 10.1.2.3 10.4.5.6 -1 2\r\n",
           "PROXY TCP4 10.1.2.3 10.4.5.6 1x 2\r\n",
           "PROXY TCP4 10.1.2.300 10.4.5.6 1 2\r\n",
           "PROXY TCP4 10.1.2.3:80 10.4.5.6 1 2\r\n",
           "PROXY TCP4 ::1 ::1 1 2\r\n",
           "PROXY TCP6 10.1.2.3 10.4.5.6 1 2\r\n",
           "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
           "PROXY TCP6 [::1] ::1 1 2\r\n",
           "PROXY TCP6 ::g ::1 1 2\r\n",
       }) {
    INFO(each);
    CHECK(read(each).is == state::invalid);
  }
}

TEST_CASE("bytes that do not belong into a PROXY header are refused", "[unit][proxy_header]") {
  CHECK(read(binary(0x11, 0x11, v4_addresses())).is == state::invalid);
  CHECK(read(binary(0x22, 0x11, v4_addresses())).is == state::invalid);
  CHECK(read(binary(0x21, 0x41, v4_addresses())).is == state::invalid);
  CHECK(read(binary(0x21, 0x13, v4_addresses())).is == state::invalid);
  CHECK(read(binary(0x21, 0x11, v4_addresses().substr(1))).is == state::invalid);
  CHECK(read(binary(0x21, 0x21, v4_addresses())).is == state::invalid);
}

TEST_CASE("whatever comes, a PROXY header is read within its bytes", "[unit][proxy_header]") {
  std::mt19937 random(1);
  auto const headers = good_headers();
  for (int count = 0; count < 50'000; ++count) {
    auto text = headers[random() % headers.size()];
    for (auto changes = random() % 4; changes > 0; --changes)
      text[random() % text.size()] = static_cast<char>(random());
    text.resize(random() % (text.size() + 20), static_cast<char>(random()));
    auto const header = read(text);
    if (header.is != state::whole) CHECK_FALSE(header.source);
    if (text.size() >= longest_proxy_header) CHECK(header.is != state::incomplete);
  }
}

}  // namespace
}  // namespace prong::core

// The header of the PROXY protocol, as its specification has it (section 2 of proxy-protocol.txt).
// SPDX-License-Identifier: BSL-1.0
#include "common/core/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <string_view>

namespace prong::core {
namespace {

using asio::ip::tcp;
using state = proxy_header::state;

constexpr std::string_view text_begin = "PROXY ";
constexpr std::string_view text_end = "\r\n";
constexpr std::string_view binary_begin("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t binary_size = 16;  // before the addresses

// The text up to the next space, which is left out; none if nothing is before it, or after it.
std::optional<std::string_view> take_word(std::string_view& rest) {
  auto const size = std::min(rest.find(' '), rest.size());
  if (size == 0 || size + 1 == rest.size()) return std::nullopt;
  auto const word = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return word;
}

std::optional<asio::ip::address> read_address(std::optional<std::string_view> text, bool v6) {
  // What systems take beyond that, as scopes and ports, is not meant here.
  if (!text || text->find_first_not_of(v6 ? "0123456789abcdefABCDEF:." : "0123456789.") !=
                   std::string_view::npos)
    return std::nullopt;
  error_code ec;
  auto const address = asio::ip::make_address(*text, ec);
  if (ec || address.is_v6() != v6) return std::nullopt;
  return address;
}

std::optional<std::uint16_t> read_port(std::optional<std::string_view> text) {
  std::uint16_t port = 0;
  if (!text) return std::nullopt;
  auto const* const end = text->data() + text->size();
  auto const [at, ec] = std::from_chars(text->data(), end, port);
  if (ec != std::errc() || at != end) return std::nullopt;
  return port;
}

// "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
proxy_header read_text(std::string_view bytes) {
  bytes = bytes.substr(0, longest_proxy_header);
  auto const end = bytes.find(text_end);
  if (end == std::string_view::npos)
    return {bytes.size() < longest_proxy_header ? state::incomplete : state::invalid, {}};
  auto rest = bytes.substr(text_begin.size(), end - text_begin.size());
  auto const family = take_word(rest);
  if (family == "UNKNOWN") return {state::whole};
  bool const v6 = family == "TCP6";
  if (!v6 && family != "TCP4") return {state::invalid};
  auto const source = read_address(take_word(rest), v6);
  auto const destination = read_address(take_word(rest), v6);
  auto const source_port = read_port(take_word(rest));
  auto const destination_port = read_port(take_word(rest));
  if (!source || !destination || !source_port || !destination_port || !rest.empty())
    return {state::invalid};
  return {state::whole, tcp::endpoint(*source, *source_port)};
}

template <class Address>
proxy_header read_binary_address(std::span<std::byte const> bytes, std::size_t length) {
  typename Address::bytes_type source;
  constexpr std::size_t size = source.size();
  constexpr std::size_t both = 2 * size + 4;  // and the ports
  if (length < both) return {state::invalid};
  if (bytes.size() < binary_size + both) return {state::incomplete};
  auto const at = [&](std::size_t offset) {
    return std::to_integer<unsigned>(bytes[binary_size + offset]);
  };
  for (std::size_t each = 0; each < size; ++each)
    source[each] = static_cast<unsigned char>(at(each));
  auto const port = static_cast<std::uint16_t>(at(2 * size) << 8 | at(2 * size + 1));
  return {state::whole, tcp::endpoint(Address(source), port)};
}

proxy_header read_binary(std::span<std::byte const> bytes) {
  auto const at = [&](std::size_t offset) { return std::to_integer<unsigned>(bytes[offset]); };
  if (bytes.size() < binary_size) return {};
  auto const version = at(12) >> 4, command = at(12) & 0xf;
  auto const family = at(13) >> 4, protocol = at(13) & 0xf;
  if (version != 2 || command > 1 || family > 3 || protocol > 2) return {state::invalid};
  bool const is_local = command == 0;
  auto const length = std::size_t{at(14)} << 8 | at(15);
  if (!is_local && family == 1) return read_binary_address<asio::ip::address_v4>(bytes, length);
  if (!is_local && family == 2) return read_binary_address<asio::ip::address_v6>(bytes, length);
  return {state::whole};
}

}  // namespace

proxy_header read_proxy_header(std::span<std::byte const> bytes) {
  std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  auto const begins = [&](std::string_view with) {
    auto const size = std::min(with.size(), text.size());
    return text.substr(0, size) == with.substr(0, size);
  };
  if (begins(text_begin)) return text.size() < text_begin.size() ? proxy_header{} : read_text(text);
  if (begins(binary_begin)) return read_binary(bytes);
  return {state::invalid};
}

}  // namespace prong::core

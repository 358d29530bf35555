// Values of the public interface as the wire has them, and back.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/convert.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>

namespace prong::core {

using asio::ip::address_v4;
using asio::ip::address_v6;

wire::address to_wire(endpoint const& from) {
  wire::address to;
  to.port = from.port();
  if (from.address().is_v6()) {
    auto const v6 = from.address().to_v6();
    auto const bytes = v6.to_bytes();
    to.v6 = true;
    to.scope = static_cast<std::uint32_t>(v6.scope_id());
    std::copy(bytes.begin(), bytes.end(), to.bytes.begin());
  } else {
    auto const bytes = from.address().to_v4().to_bytes();
    std::copy(bytes.begin(), bytes.end(), to.bytes.begin());
  }
  return to;
}

endpoint from_wire(wire::address const& from) {
  if (from.v6) {
    address_v6::bytes_type bytes;
    std::copy(from.bytes.begin(), from.bytes.end(), bytes.begin());
    return {address_v6(bytes, from.scope), from.port};
  }
  address_v4::bytes_type bytes;
  std::copy_n(from.bytes.begin(), bytes.size(), bytes.begin());
  return {address_v4(bytes), from.port};
}

wire::error to_wire(error_code const& from) {
  if (from.category() == category()) return {wire::error::category::prong, from.value()};
  if (from.category() == boost::system::system_category())
    return {wire::error::category::system, from.value()};
  return to_wire(error_code(asio::error::invalid_argument));
}

error_code from_wire(wire::error const& from) {
  if (from.from == wire::error::category::prong) return {from.value, category()};
  return {from.value, boost::system::system_category()};
}

}  // namespace prong::core

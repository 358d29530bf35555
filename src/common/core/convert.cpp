// Values of the public interface as the wire has them, and back.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/convert.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>

namespace prong::core {

using asio::ip::address_v4;
using asio::ip::address_v6;

static_assert(static_cast<int>(transport::udp) == static_cast<int>(wire::transport::udp));
static_assert(static_cast<int>(transport::local) == static_cast<int>(wire::transport::local));

wire::address to_wire(endpoint const& from) {
  wire::address to;
  to.kind = static_cast<wire::transport>(from.transport);
  to.port = from.port;
  to.path = from.path;
  if (from.address.is_v6()) {
    auto const v6 = from.address.to_v6();
    auto const bytes = v6.to_bytes();
    to.v6 = true;
    to.scope = static_cast<std::uint32_t>(v6.scope_id());
    std::copy(bytes.begin(), bytes.end(), to.bytes.begin());
  } else {
    auto const bytes = from.address.to_v4().to_bytes();
    std::copy(bytes.begin(), bytes.end(), to.bytes.begin());
  }
  return to;
}

endpoint from_wire(wire::address const& from) {
  endpoint to;
  to.transport = static_cast<transport>(from.kind);
  to.port = from.port;
  to.path = from.path;
  if (from.v6) {
    address_v6::bytes_type bytes;
    std::copy(from.bytes.begin(), from.bytes.end(), bytes.begin());
    to.address = address_v6(bytes, from.scope);
  } else {
    address_v4::bytes_type bytes;
    std::copy_n(from.bytes.begin(), bytes.size(), bytes.begin());
    to.address = address_v4(bytes);
  }
  return to;
}

bool can_be_repeated(listen_request const& what) noexcept {
  bool const any_port = what.where.transport != transport::local && what.where.port == 0;
  return !what.from && (any_port || what.how.reuse_address);
}

wire::listen to_wire(acceptor_id id, listen_request const& from, std::uint32_t index) {
  wire::listen to;
  to.acceptor = static_cast<std::uint64_t>(id);
  to.endpoint = to_wire(from.where);
  to.index = index;
  to.backlog = from.how.backlog;
  to.v6_only = from.how.v6_only;
  to.any_address = from.any_address;
  to.reuse_address = from.how.reuse_address;
  if (from.how.mode) to.mode = static_cast<std::int32_t>(*from.how.mode);
  if (from.from) {
    to.from_primary = true;
    to.number = static_cast<std::uint64_t>(from.from->number);
    to.name = from.from->name;
  }
  return to;
}

listen_request from_wire(wire::listen const& from) {
  listen_request to;
  to.where = from_wire(from.endpoint);
  to.any_address = from.any_address;
  to.how.backlog = from.backlog;
  to.how.v6_only = from.v6_only;
  to.how.reuse_address = from.reuse_address;
  if (from.mode >= 0) to.how.mode = static_cast<unsigned>(from.mode);
  if (from.from_primary) {
    to.from.emplace(from.name);
    to.from->number = static_cast<native_socket>(from.number);
  }
  return to;
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

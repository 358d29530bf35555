// Values of the public interface as the wire has them, and back.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/types.hpp"
#include "common/wire/control.hpp"

namespace prong::core {

wire::address to_wire(endpoint const& from);
endpoint from_wire(wire::address const& from);

/// Whether one worker may ask for it several times: port 0, and addresses that may be reused.
bool can_be_repeated(listen_request const& what) noexcept;

/// `index` is the worker's: see wire::listen.
wire::listen to_wire(acceptor_id id, listen_request const& from, std::uint32_t index);
listen_request from_wire(wire::listen const& from);

/// Codes of other categories than the system's and prong's become the system's "invalid argument".
wire::error to_wire(error_code const& from);
error_code from_wire(wire::error const& from);

}  // namespace prong::core

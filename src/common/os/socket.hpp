// The seam: a native socket and its owner. Function 1 is detail::close_native_socket.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/socket_handle.hpp>

namespace prong::os {

using prong::native_socket;
using socket = prong::socket_handle;

}  // namespace prong::os

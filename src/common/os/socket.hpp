// The seam: a native socket and its owner. Its functions are those of
// prong/detail/native_socket.hpp.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/socket_handle.hpp>

namespace prong::os {

using prong::native_socket;
using socket = prong::socket_handle;

}  // namespace prong::os

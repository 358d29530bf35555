// What the backend's parts know of the channel besides its interface.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"
#include "posix/fd.hpp"

namespace prong::posix {

/// A channel over one end of a pair from `open_socket_pair` and the memory of its mailbox; an empty
/// one if `ec` is set before or after.
os::channel open_channel(asio::any_io_executor executor, unique_fd end, int memory, os::side ours,
                         error_code& ec);

}  // namespace prong::posix

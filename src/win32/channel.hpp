// What the backend's parts know of the channel besides its interface.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"
#include "win32/handle.hpp"

namespace prong::win32 {

/// Who is at the other end. Its handle keeps the number from becoming another's; the primary's
/// workers have none of it, as they end with it.
struct receiver {
  process_id id = 0;
  unique_handle process;
};

/// A channel over one end of a pipe and the memory of its mailbox; an empty one if `ec` is set
/// before or after.
os::channel open_channel(asio::any_io_executor executor, unique_handle end, receiver to,
                         HANDLE memory, os::side ours, error_code& ec);

}  // namespace prong::win32

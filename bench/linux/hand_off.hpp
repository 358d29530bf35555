// The bare hand-off: what giving connections to other processes costs at least.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vector>

namespace bench {

/// Accepts, and gives connections to the workers in rotation, until standard input ends. A worker
/// gets all that a wake-up has for it in one message.
void hand_off_all(int listener, std::vector<int> const& channels);

/// What one message has given, which may be nothing. Returns how many that are.
std::size_t receive_connections(int channel, std::vector<int>& into);

}  // namespace bench

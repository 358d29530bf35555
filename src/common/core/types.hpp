// The words of the core: ids, and time as it is passed in.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>
#include <prong/listen_options.hpp>

#include <chrono>
#include <cstdint>

namespace prong::core {

/// One accepted connection, for as long as the primary holds its socket.
enum class connection_id : std::uint64_t {};
/// One listening socket of the primary.
enum class listener_id : std::uint32_t {};
/// One acceptor of one worker; the worker chooses it.
enum class acceptor_id : std::uint64_t {};

using detail::listen_request;
using time_point = std::chrono::steady_clock::time_point;
inline constexpr time_point never = time_point::max();

}  // namespace prong::core

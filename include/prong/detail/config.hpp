// The names that every header of prong uses for what it takes from Boost.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstdint>

namespace prong {

namespace asio = boost::asio;
using boost::system::error_code;

/// All waiting times of the public interface.
using duration = std::chrono::milliseconds;

/// Names a worker for as long as its primary lives; ids start at 1 and are never used again.
enum class worker_id : std::uint32_t {};

/// The operating system's number of a process; 0 where there is none.
using process_id = std::uint32_t;

}  // namespace prong

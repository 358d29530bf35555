// How backends complete the operations that a connection, or a message, goes through. Who starts
// them are the shells, whose handlers have no executor, allocator or slot of their own. Asio is not
// to ask for these: each question would cost an allocation.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace prong::os {

inline auto without_associations(detail::handler<void(error_code)> completion) {
  return [completion = std::move(completion)](error_code ec) mutable { completion(ec); };
}

inline void post(asio::any_io_executor const& io, detail::handler<void(error_code)> completion,
                 error_code ec) {
  asio::post(io, [completion = std::move(completion), ec]() mutable { completion(ec); });
}

}  // namespace prong::os

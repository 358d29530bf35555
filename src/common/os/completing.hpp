// How operations complete whose executor is known: those of the seam, which the shells start
// without executor, allocator or slot, and the program's that complete on their owner's. Asio is
// not to look for them: each look would cost an allocation.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/execution/allocator.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>
#include <utility>

namespace prong::os {

/// A handler of Asio's operations, whose memory is then kept for the next.
template <class Handler>
auto recycling(Handler handler) {
  return asio::bind_allocator(detail::recycled<>(), std::move(handler));
}

/// The same executor. If it is the loop's own, the memory of what is posted is kept.
inline asio::any_io_executor recycling_executor(asio::any_io_executor const& io) {
  auto const* const loop = io.target<asio::io_context::executor_type>();
  if (loop == nullptr) return io;
  return asio::require(*loop, asio::execution::allocator(detail::recycled<>()));
}

inline auto without_associations(detail::handler<void(error_code)> completion) {
  return recycling([completion = std::move(completion)](error_code ec) mutable { completion(ec); });
}

template <class Signature, class... Args>
void post(asio::any_io_executor const& io, detail::handler<Signature> completion, Args... args) {
  asio::post(io, [completion = std::move(completion), ... args = std::move(args)]() mutable {
    completion(std::move(args)...);
  });
}

}  // namespace prong::os

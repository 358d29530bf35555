// How backends complete operations. Who starts them are the shells, whose handlers have no
// executor, allocator or slot of their own. Asio is not to ask for these: each question would cost
// an allocation. SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace prong::os {

template <class Handler>
auto recycling(Handler handler) {
  return asio::bind_allocator(detail::recycled<>(), std::move(handler));
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

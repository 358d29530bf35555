// How prong takes completion tokens and gives back completions.
//
// Public operations are thin templates: they turn the caller's token into one type-erased handler
// and pass it to compiled code. The erased handler keeps the caller's associated executor,
// allocator and cancellation slot.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>
#include <prong/detail/recycled.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <type_traits>
#include <utility>

namespace prong::detail {

/// A move-only, type-erased completion handler. It wraps `any_completion_handler` because the
/// move assignment of Boost 1.81 recurses until the stack ends; this one swaps instead.
template <class Signature>
class handler {
 public:
  using inner_type = asio::any_completion_handler<Signature>;

  handler() = default;
  template <class Handler>
  requires(!std::is_same_v<std::decay_t<Handler>, handler>) explicit handler(Handler&& callable)
      : inner_(erased(std::forward<Handler>(callable))) {}
  handler(handler&&) noexcept = default;
  handler& operator=(handler&& other) noexcept {
    handler moved(std::move(other));
    inner_.swap(moved.inner_);
    return *this;
  }
  ~handler() = default;

  explicit operator bool() const noexcept { return static_cast<bool>(inner_); }
  inner_type const& inner() const noexcept { return inner_; }

  template <class... Args>
  void operator()(Args&&... args) {
    inner_(std::forward<Args>(args)...);
  }

 private:
  template <class Handler>
  static inner_type erased(Handler&& callable) {
    using own_allocator = asio::associated_allocator_t<std::decay_t<Handler>>;
    if constexpr (std::is_same_v<own_allocator, std::allocator<void>>)
      return inner_type(asio::bind_allocator(recycled<>(), std::forward<Handler>(callable)));
    else
      return inner_type(std::forward<Handler>(callable));
  }

  inner_type inner_;
};

/// Starts an operation: `start` receives the type-erased handler of `token`.
template <class Signature, class Token, class Start>
auto initiate(Token&& token, Start&& start) {
  return asio::async_initiate<Token, Signature>(
      [](auto&& completion, auto&& begin) {
        std::forward<decltype(begin)>(begin)(
            handler<Signature>(std::forward<decltype(completion)>(completion)));
      },
      token, std::forward<Start>(start));
}

/// Delivers a completion through `io` on the handler's own executor, never inline.
template <class Signature, class... Args>
void post_completion(asio::any_io_executor const& io, handler<Signature> completion,
                     Args&&... args) {
  asio::post(io, asio::append(std::move(completion), std::forward<Args>(args)...));
}

}  // namespace prong::detail

namespace boost::asio {

/// The associated executor, allocator and cancellation slot of the handler inside.
template <template <class, class> class Associator, class Signature, class Default>
struct associator<Associator, prong::detail::handler<Signature>, Default>
    : Associator<any_completion_handler<Signature>, Default> {
  static auto get(prong::detail::handler<Signature> const& completion) noexcept {
    return Associator<any_completion_handler<Signature>, Default>::get(completion.inner());
  }
  static auto get(prong::detail::handler<Signature> const& completion,
                  Default const& otherwise) noexcept {
    return Associator<any_completion_handler<Signature>, Default>::get(completion.inner(),
                                                                       otherwise);
  }
};

}  // namespace boost::asio

// Operations that wait for something to happen, first come, first served. Each keeps its
// executors' contexts running, and can be cancelled by its slot.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/fifo.hpp"
#include "common/os/completing.hpp"

#include <prong/detail/async.hpp>

#include <algorithm>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>
#include <cstdint>
#include <memory>
#include <utility>

namespace prong {

template <class Signature>
class waiting_list;

/// `Args`: what follows the error code; default-constructed when an operation is aborted.
template <class... Args>
class waiting_list<void(error_code, Args...)> {
 public:
  using handler = detail::handler<void(error_code, Args...)>;

  /// An operation that has been started and not completed.
  class operation {
   public:
    operation(asio::any_io_executor const& io, handler waits)
        : completion_(std::move(waits)),
          work_(asio::prefer(io, asio::execution::outstanding_work.tracked)) {
      auto own =
          asio::get_associated_executor(completion_.inner(), asio::any_completion_executor());
      if (own && own != asio::any_completion_executor(io))
        own_work_ = asio::prefer(std::move(own), asio::execution::outstanding_work.tracked);
    }

    /// Completes it, never inline.
    void complete(error_code ec, Args... args) {
      if (own_work_)
        detail::post_completion(work_, std::move(completion_), ec, std::move(args)...);
      else
        os::post(work_, std::move(completion_), ec, std::move(args)...);
    }

    /// Completes it inline, where that is on its executor. For a handler of the loop that was not
    /// started by this operation's initiation, and that has nothing left to do which the call
    /// could disturb.
    void call(error_code ec, Args&&... args) {
      if (own_work_)
        asio::dispatch(asio::append(std::move(completion_), ec, std::move(args)...));
      else
        completion_(ec, std::move(args)...);
    }

   private:
    handler completion_;
    asio::any_io_executor work_;
    asio::any_completion_executor own_work_;  // if it completes elsewhere
  };

  explicit waiting_list(asio::any_io_executor executor)
      : all_(std::make_shared<list>(std::move(executor))) {}
  waiting_list(waiting_list&&) noexcept = default;
  waiting_list& operator=(waiting_list&&) = delete;
  ~waiting_list() {
    if (all_) complete_all(asio::error::operation_aborted);
  }

  bool empty() const noexcept { return all_->waiting.empty(); }
  std::size_t size() const noexcept { return all_->waiting.size(); }

  /// `cancelled` is called when the operation is cancelled, before it completes. False: it goes on
  /// waiting.
  template <class OnCancel>
  void add(handler completion, OnCancel cancelled) {
    auto const ticket = ++all_->last_ticket;
    auto slot = asio::get_associated_cancellation_slot(completion);
    all_->waiting.push({ticket, operation(all_->executor, std::move(completion))});
    if (!slot.is_connected()) return;
    // The slot may outlive the operation, and this list: hence the weak pointer and the ticket.
    slot.assign([weak = std::weak_ptr<list>(all_), ticket,
                 cancelled = std::move(cancelled)](asio::cancellation_type how) {
      auto const all = weak.lock();
      if (all && how != asio::cancellation_type::none) all->cancel(ticket, how, cancelled);
    });
  }

  void add(handler completion) {
    add(std::move(completion), [](asio::cancellation_type) { return true; });
  }

  /// The operation that waits longest, which waits no more.
  operation take_first() { return std::move(all_->waiting.pop()->what); }

  void complete_first(error_code ec, Args... args) {
    take_first().complete(ec, std::move(args)...);
  }

  void complete_all(error_code ec) {
    auto those = std::exchange(all_->waiting, {});
    for (auto& each : those) each.what.complete(ec, Args{}...);
  }

 private:
  struct entry {
    std::uint64_t ticket;
    operation what;
  };
  struct list {
    explicit list(asio::any_io_executor io) : executor(std::move(io)) {}

    template <class OnCancel>
    void cancel(std::uint64_t ticket, asio::cancellation_type how, OnCancel const& cancelled) {
      auto const is_it = [ticket](entry const& each) { return each.ticket == ticket; };
      auto const at = std::find_if(waiting.begin(), waiting.end(), is_it);
      if (at == waiting.end()) return;
      if (!cancelled(how)) return;
      // The call may have changed the list.
      auto const still = std::find_if(waiting.begin(), waiting.end(), is_it);
      if (still == waiting.end()) return;
      auto found = std::move(still->what);
      waiting.erase(still);
      found.complete(asio::error::operation_aborted, Args{}...);
    }

    asio::any_io_executor executor;
    core::fifo<entry> waiting;
    std::uint64_t last_ticket = 0;
  };

  std::shared_ptr<list> all_;
};

}  // namespace prong

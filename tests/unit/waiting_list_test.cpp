// Operations that wait: who completes when, where, and with what.
// SPDX-License-Identifier: BSL-1.0
#include "common/waiting_list.hpp"

#include "support/catch.hpp"
#include "support/tracker_executor.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace prong {
namespace {

using list = waiting_list<void(error_code, int)>;
using results = std::vector<std::pair<error_code, int>>;
using asio::cancellation_type;

error_code const aborted = asio::error::operation_aborted;

struct fixture {
  asio::io_context context;
  list waiting{context.get_executor()};
  results completed;

  auto keep_result() {
    return [this](error_code ec, int value) { completed.emplace_back(ec, value); };
  }
  template <class Handler, class... OnCancel>
  void add(Handler&& handler, OnCancel&&... cancelled) {
    waiting.add(list::handler(std::forward<Handler>(handler)),
                std::forward<OnCancel>(cancelled)...);
  }
};

TEST_CASE_METHOD(fixture, "who waits longest is first", "[unit][waiting_list]") {
  CHECK(waiting.empty());
  std::vector<int> order;
  for (int id = 1; id <= 3; ++id)
    add([&order, id](error_code ec, int value) {
      CHECK_FALSE(ec);
      order.push_back(id * 10 + value);
    });
  CHECK(waiting.size() == 3);
  waiting.complete_first({}, 1);
  waiting.take_first().complete({}, 2);
  CHECK(waiting.size() == 1);
  context.poll();
  CHECK(order == std::vector{11, 22});
}

TEST_CASE_METHOD(fixture, "a handler is never called inline", "[unit][waiting_list]") {
  add(keep_result());
  asio::post(context, [&] {
    waiting.complete_first({}, 1);  // in the context's own thread, too
    CHECK(completed.empty());
  });
  context.run();
  CHECK(completed == results{{{}, 1}});
}

TEST_CASE_METHOD(fixture, "a call is inline where it is on the handler's executor",
                 "[unit][waiting_list]") {
  add(keep_result());
  add(asio::bind_executor(context.get_executor(), keep_result()));
  asio::post(context, [&] {
    for (int count = 1; count <= 2; ++count) {
      waiting.take_first().call({}, int{count});
      CHECK(completed.size() == static_cast<std::size_t>(count));
    }
  });
  context.run();
  CHECK(completed == results{{{}, 1}, {{}, 2}});
}

TEST_CASE_METHOD(fixture, "a call is posted where it is for another executor",
                 "[unit][waiting_list]") {
  asio::io_context other;
  add(asio::bind_executor(other.get_executor(), keep_result()));
  asio::post(context, [&] { waiting.take_first().call({}, 1); });
  context.run();
  CHECK(completed.empty());
  other.run();
  CHECK(completed == results{{{}, 1}});
}

TEST_CASE_METHOD(fixture, "all complete with one error and no value", "[unit][waiting_list]") {
  add(keep_result());
  add(keep_result());
  waiting.complete_all(asio::error::eof);
  CHECK(waiting.empty());
  context.run();
  CHECK(completed == results{{asio::error::eof, 0}, {asio::error::eof, 0}});
}

TEST_CASE_METHOD(fixture, "a handler runs on its own executor", "[unit][waiting_list]") {
  asio::io_context other;
  test::tracker_executor const tracker(other.get_executor());
  bool ran = false;
  add(asio::bind_executor(tracker, [&](error_code, int) {
    ran = true;
    CHECK(tracker.runs_me());
  }));
  SECTION("when it completes") {
    waiting.complete_first({}, 1);
  }
  SECTION("when all are ended") {
    waiting.complete_all(aborted);
  }
  context.run();
  CHECK_FALSE(ran);
  other.run();
  CHECK(ran);
}

TEST_CASE_METHOD(fixture, "both contexts go on while an operation waits", "[unit][waiting_list]") {
  asio::io_context other;
  add(asio::bind_executor(other.get_executor(), keep_result()));
  context.poll();
  other.poll();
  CHECK_FALSE(context.stopped());
  CHECK_FALSE(other.stopped());
  waiting.complete_first({}, 1);
  context.run();
  other.run();
  CHECK(completed.size() == 1);
  CHECK(context.stopped());
  CHECK(other.stopped());
}

TEST_CASE("the end of the list aborts who waits", "[unit][waiting_list]") {
  asio::io_context context;
  results completed;
  {
    list waiting(context.get_executor());
    waiting.add(
        list::handler([&](error_code ec, int value) { completed.emplace_back(ec, value); }));
    list const moved(std::move(waiting));
    CHECK(moved.size() == 1);
  }
  CHECK(completed.empty());
  context.run();
  CHECK(completed == results{{aborted, 0}});
}

TEST_CASE_METHOD(fixture, "a handler may be movable only", "[unit][waiting_list]") {
  int sum = 0;
  add([&sum, owned = std::make_unique<int>(40)](error_code, int value) { sum = *owned + value; });
  waiting.complete_first({}, 2);
  context.run();
  CHECK(sum == 42);
}

TEST_CASE_METHOD(fixture, "a handler is destroyed with a context that never runs",
                 "[unit][waiting_list]") {
  auto const owned = std::make_shared<int>(1);
  {
    asio::io_context never_runs;
    list there(never_runs.get_executor());
    there.add(list::handler([owned](error_code, int) {}));
    there.complete_first({}, 1);
  }
  CHECK(owned.use_count() == 1);
}

// --- Cancellation -------------------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "a slot cancels its operation and no other", "[unit][waiting_list]") {
  asio::cancellation_signal signal;
  add(keep_result());
  add(asio::bind_cancellation_slot(signal.slot(), keep_result()));
  add(keep_result());
  for (auto const how :
       {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total})
    signal.emit(how);
  CHECK(completed.empty());
  CHECK(waiting.size() == 2);
  context.poll();
  CHECK(completed == results{{aborted, 0}});
}

TEST_CASE_METHOD(fixture, "a signal of no kind cancels nothing", "[unit][waiting_list]") {
  asio::cancellation_signal signal;
  add(asio::bind_cancellation_slot(signal.slot(), keep_result()));
  signal.emit(cancellation_type::none);
  CHECK(waiting.size() == 1);
}

TEST_CASE_METHOD(fixture, "a signal after the completion finds nothing", "[unit][waiting_list]") {
  asio::cancellation_signal signal;
  add(asio::bind_cancellation_slot(signal.slot(), keep_result()));
  add(keep_result());
  waiting.complete_first({}, 1);
  signal.emit(cancellation_type::terminal);
  context.poll();
  CHECK(completed == results{{{}, 1}});
  CHECK(waiting.size() == 1);
}

TEST_CASE("a signal after the end of the list finds nothing", "[unit][waiting_list]") {
  asio::io_context context;
  asio::cancellation_signal signal;
  int calls = 0;
  {
    list waiting(context.get_executor());
    waiting.add(list::handler(
        asio::bind_cancellation_slot(signal.slot(), [&](error_code, int) { ++calls; })));
  }
  signal.emit(cancellation_type::terminal);
  context.run();
  CHECK(calls == 1);
}

TEST_CASE_METHOD(fixture, "the owner hears of a cancellation, and may go on",
                 "[unit][waiting_list]") {
  asio::cancellation_signal signal;
  std::vector<cancellation_type> heard;
  bool allowed = false;
  add(asio::bind_cancellation_slot(signal.slot(), keep_result()), [&](cancellation_type how) {
    heard.push_back(how);
    return allowed;
  });
  signal.emit(cancellation_type::total);
  CHECK(waiting.size() == 1);
  allowed = true;
  signal.emit(cancellation_type::terminal);
  CHECK(waiting.empty());
  CHECK(heard == std::vector{cancellation_type::total, cancellation_type::terminal});
  context.run();
  CHECK(completed == results{{aborted, 0}});
}

TEST_CASE_METHOD(fixture, "the owner may complete the operation when it is cancelled",
                 "[unit][waiting_list]") {
  asio::cancellation_signal signal;
  add(asio::bind_cancellation_slot(signal.slot(), keep_result()), [&](cancellation_type) {
    waiting.complete_first({}, 7);
    return true;
  });
  signal.emit(cancellation_type::terminal);
  context.run();
  CHECK(completed == results{{{}, 7}});
}

// --- Allocation ---------------------------------------------------------------------------------

struct allocations {
  int made = 0;
  int live = 0;
};

template <class T>
struct counting_allocator {
  using value_type = T;
  allocations* counts;

  explicit counting_allocator(allocations* in) : counts(in) {}
  template <class Other>
  counting_allocator(counting_allocator<Other> const& other) noexcept : counts(other.counts) {}

  T* allocate(std::size_t count) {
    ++counts->made;
    ++counts->live;
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* at, std::size_t count) {
    --counts->live;
    std::allocator<T>().deallocate(at, count);
  }
  friend bool operator==(counting_allocator const&, counting_allocator const&) = default;
};

TEST_CASE_METHOD(fixture, "a handler's own allocator is used, and free before its call",
                 "[unit][waiting_list]") {
  allocations counts;
  add(asio::bind_allocator(counting_allocator<int>(&counts), [&](error_code ec, int value) {
    CHECK(counts.live == 0);
    completed.emplace_back(ec, value);
  }));
  CHECK(counts.made > 0);
  waiting.complete_first({}, 1);
  context.run();
  CHECK(completed.size() == 1);
  CHECK(counts.live == 0);
}

}  // namespace
}  // namespace prong

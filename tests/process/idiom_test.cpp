// The primary's operations as Asio's: tokens, executors, allocators, cancellation, destruction.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>

namespace prong::test {

TEST_CASE("the primary's operations take every kind of completion token", "[process][idiom]") {
  fixture f({});
  auto const id = f.fork("answers_messages");

  auto future = f.boss->async_send(id, message("future", ""), asio::use_future);
  f.run_until([&] { return future.wait_for(0s) == std::future_status::ready; });
  CHECK_NOTHROW(future.get());

  bool done = false;
  auto later = f.boss->async_send(id, message("deferred", ""), asio::deferred);
  std::move(later)([&](error_code ec) { done = !ec; });
  f.run_until([&] { return done; });

  done = false;
  f.boss->async_send(id, message("move-only", ""),
                     [&, only = std::make_unique<int>(1)](error_code ec) { done = !ec && *only; });
  f.run_until([&] { return done; });

  std::string topics;
  auto const read = [&]() -> awaitable<void> {
    while (topics.size() < 20) {
      auto [ec, next] = co_await f.boss->async_next_event(asio::as_tuple(use_awaitable));
      if (ec) co_return;
      if (auto* const text = std::get_if<worker_message>(&next))
        topics += text->message.topic + ' ';
    }
  };
  asio::co_spawn(f.io, read(), detached);
  f.run_until([&] { return topics == "future deferred move-only "; });
  CHECK_FALSE(f.disconnect(id));
}

TEST_CASE("a handler runs on its own executor, and never inside the call", "[process][idiom]") {
  fixture f({});
  asio::io_context other;
  int done = 0;
  auto handler = asio::bind_executor(other, [&](error_code, auto...) {
    CHECK(other.get_executor().running_in_this_thread());
    ++done;
  });
  auto const completes = [&](auto start) {
    auto const before = done;
    start();
    CHECK(done == before);
    f.run_until([&] {
      if (other.stopped()) other.restart();
      other.poll();
      return done == before + 1;
    });
  };
  worker_id id{};
  completes([&] {
    f.boss->async_next_event(handler);
    id = f.fork("answers_messages");
  });
  completes([&] { f.boss->async_next_event(handler); });
  completes([&] { f.boss->async_send(id, message("hello", ""), handler); });
  completes([&] { f.boss->async_send(worker_id{1000}, message("hello", ""), handler); });
  completes([&] { f.boss->async_reload(handler); });
  completes([&] { f.boss->async_disconnect(id, handler); });
  completes([&] { f.boss->async_disconnect(handler); });
  completes([&] { f.boss->async_shutdown(handler); });
  completes([&] { f.boss->async_run(handler); });
}

namespace {

// Counts what it gives out.
template <class T>
struct counting_allocator {
  using value_type = T;
  explicit counting_allocator(int* out) : living(out) {}
  template <class Other>
  counting_allocator(counting_allocator<Other> const& other) : living(other.living) {}
  T* allocate(std::size_t count) {
    ++living[0];
    ++living[1];
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* at, std::size_t count) {
    --living[0];
    std::allocator<T>().deallocate(at, count);
  }
  template <class Other>
  bool operator==(counting_allocator<Other> const& other) const {
    return living == other.living;
  }
  int* living;  // that live, and all that ever did
};

struct handler_with_allocator {
  using allocator_type = counting_allocator<void>;
  allocator_type get_allocator() const { return allocator; }
  void operator()(error_code, auto...) { *done = true; }
  bool* done;
  allocator_type allocator;
};

}  // namespace

TEST_CASE("operations use the allocator of their handler, and give all of it back",
          "[process][idiom]") {
  fixture f({});
  int living[2] = {0, 0};
  bool done = false;
  f.boss->async_next_event(handler_with_allocator{&done, counting_allocator<void>(living)});
  f.fork("echo");
  f.run_until([&] { return done; });
  CHECK(living[0] == 0);
  CHECK(living[1] > 0);
}

TEST_CASE("waiting for an event can be cancelled, and no event is lost", "[process][idiom]") {
  fixture f({});
  auto const kind = GENERATE(asio::cancellation_type::terminal, asio::cancellation_type::partial,
                             asio::cancellation_type::total);
  asio::cancellation_signal cancel;
  std::optional<error_code> result;
  f.boss->async_next_event(
      asio::bind_cancellation_slot(cancel.slot(), [&](error_code ec, event) { result = ec; }));
  cancel.emit(kind);
  CHECK_FALSE(result);
  f.run_until([&] { return result.has_value(); });
  CHECK(*result == asio::error::operation_aborted);
  f.fork("echo");
  CHECK(std::holds_alternative<worker_forked>(f.next_event()));
}

TEST_CASE("waiting for an event stands beside a timer in a coroutine", "[process][idiom]") {
  using namespace asio::experimental::awaitable_operators;
  fixture f({});
  bool done = false;
  auto const wait = [&]() -> awaitable<void> {
    asio::steady_timer timer(f.io, 1ms);
    auto const first =
        co_await (f.boss->async_next_event(use_awaitable) || timer.async_wait(use_awaitable));
    // The alternatives of an event come first, and then the timer.
    CHECK(first.index() == std::variant_size_v<event>);
    f.fork("echo");
    timer.expires_at(asio::steady_timer::time_point::max());
    auto const second =
        co_await (f.boss->async_next_event(use_awaitable) || timer.async_wait(use_awaitable));
    CHECK(second.index() < std::variant_size_v<event>);
    done = true;
  };
  asio::co_spawn(f.io, wait(), detached);
  f.run_until([&] { return done; });
}

TEST_CASE("what waits for a disconnect or a reload can be cancelled, and the thing goes on",
          "[process][idiom]") {
  fixture f(pool_of(1));
  client one(f, f.listening());
  one.server();
  asio::cancellation_signal cancel;
  std::optional<error_code> result;
  auto cancellable =
      asio::bind_cancellation_slot(cancel.slot(), [&](error_code ec) { result = ec; });
  auto const is_cancelled = [&] {
    cancel.emit(asio::cancellation_type::terminal);
    f.run_until([&] { return result.has_value(); });
    CHECK(*result == asio::error::operation_aborted);
    result.reset();
  };
  f.boss->async_reload(cancellable);
  is_cancelled();
  f.listening();
  f.boss->async_disconnect(worker_id{1}, cancellable);
  is_cancelled();
  f.boss->async_disconnect(worker_id{2}, cancellable);
  is_cancelled();
  CHECK(f.expect<worker_exited>().id == worker_id{2});
  one.socket.close();
  CHECK(f.expect<worker_exited>().id == worker_id{1});
}

TEST_CASE("destroying a primary completes its operations with operation_aborted",
          "[process][idiom]") {
  fixture f({});
  auto const id = f.fork("spins_when_stopped");
  f.expect<worker_listening>();
  int aborted = 0, others = 0;
  auto const handler = [&](error_code ec, auto...) {
    ++(ec == asio::error::operation_aborted ? aborted : others);
  };
  std::size_t sent = 0;
  for (std::size_t count = 0; count < message_window; ++count)
    f.boss->async_send(id, message("hello", ""), [&](error_code ec) { sent += !ec; });
  f.run_until([&] { return sent == message_window; });
  f.boss->async_send(id, message("waits", ""), handler);
  f.boss->async_run(handler);
  f.boss->async_next_event(handler);
  f.boss->async_next_event(handler);
  f.boss.reset();
  CHECK(aborted == 0);
  f.run_until([&] { return aborted + others == 4; });
  CHECK(others == 0);
}

TEST_CASE("destroying a primary completes a reload with operation_aborted", "[process][idiom]") {
  fixture f({});
  f.fork("spins_when_stopped");
  f.expect<worker_listening>();
  error_code result;
  bool completed = false;
  f.boss->async_reload([&](error_code ec) {
    result = ec;
    completed = true;
  });
  f.boss.reset();
  CHECK_FALSE(completed);
  f.run_until([&] { return completed; });
  CHECK(result == asio::error::operation_aborted);
}

TEST_CASE("destroying a primary that shuts down completes what waits for it", "[process][idiom]") {
  fixture f(pool_of(1), "stays_when_stopped");
  f.expect<worker_listening>();
  int aborted = 0;
  auto const handler = [&](error_code ec) { aborted += ec == asio::error::operation_aborted; };
  f.boss->async_disconnect(worker_id{1}, handler);
  f.boss->async_disconnect(handler);
  f.boss->async_shutdown(handler);
  f.expect<worker_disconnected>();
  CHECK(aborted == 0);
  f.boss.reset();
  f.run_until([&] { return aborted == 3; });
  CHECK(f.ran == asio::error::operation_aborted);
}

TEST_CASE("a primary can be destroyed in a handler of its own", "[process][idiom]") {
  fixture f({});
  f.boss->async_next_event([&](error_code, event) { f.boss.reset(); });
  f.fork("echo");
  f.run_until([&] { return !f.boss; });
  CHECK_FALSE(has_child());
}

}  // namespace prong::test

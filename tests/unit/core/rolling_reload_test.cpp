// The order of reloads, and the numbers by which their requests are answered.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/rolling_reload.hpp"

#include "support/catch.hpp"

namespace prong::core {
namespace {

std::vector<worker_id> const two{worker_id{1}, worker_id{2}};

TEST_CASE("nothing begins that nobody asked for", "[unit][reload]") {
  rolling_reload reload;
  CHECK_FALSE(reload.begin(two));
  CHECK_FALSE(reload.active());
}

TEST_CASE("a reload goes through the old workers in their order", "[unit][reload]") {
  rolling_reload reload;
  CHECK(reload.request() == 1);
  CHECK(reload.begin(two));
  CHECK(reload.active());
  CHECK(reload.number() == 1);
  CHECK(reload.next_old() == worker_id{1});
  CHECK(reload.next_old() == worker_id{2});
  CHECK_FALSE(reload.next_old());
  CHECK(reload.end() == 1);
  CHECK_FALSE(reload.active());
  CHECK_FALSE(reload.begin(two));
}

TEST_CASE("requests during a reload are served by one more", "[unit][reload]") {
  rolling_reload reload;
  reload.request();
  reload.begin(two);
  CHECK(reload.request() == 2);
  CHECK(reload.request() == 2);
  CHECK_FALSE(reload.begin(two));  // not before this one has ended
  CHECK(reload.end() == 1);
  CHECK(reload.begin(two));
  CHECK(reload.end() == 2);
  CHECK_FALSE(reload.begin(two));
  CHECK(reload.request() == 3);
}

TEST_CASE("requests before a reload begins are one", "[unit][reload]") {
  rolling_reload reload;
  CHECK(reload.request() == 1);
  CHECK(reload.request() == 1);
}

TEST_CASE("a reload that ends forgets its step and who is left", "[unit][reload]") {
  rolling_reload reload;
  reload.request();
  reload.begin(two);
  reload.next_old();
  reload.set_step({worker_id{1}, worker_id{3}, 1, never});
  CHECK(reload.current()->replacement == worker_id{3});
  reload.end();
  CHECK_FALSE(reload.current());
  CHECK_FALSE(reload.next_old());
}

TEST_CASE("abandoning answers all requests that there are", "[unit][reload]") {
  rolling_reload reload;
  CHECK(reload.abandon() == 0);
  reload.request();
  reload.begin(two);
  reload.request();
  CHECK(reload.abandon() == 2);
  CHECK_FALSE(reload.active());
  CHECK_FALSE(reload.begin(two));
  CHECK(reload.request() == 3);
}

}  // namespace
}  // namespace prong::core

// The errors of prong itself.
// SPDX-License-Identifier: BSL-1.0
#include <prong/error.hpp>

#include "support/catch.hpp"

#include <set>
#include <string>

namespace prong {
namespace {

TEST_CASE("every error of prong has a text of its own", "[unit][error]") {
  auto const last = static_cast<int>(errc::not_supported);
  std::set<std::string> texts;
  for (int value = 1; value <= last; ++value) texts.insert(category().message(value));
  CHECK(texts.size() == static_cast<std::size_t>(last));
  CHECK(texts.count(category().message(0)) == 0);
  CHECK(category().message(0) == category().message(last + 1));
}

TEST_CASE("an error of prong is an error code of its category", "[unit][error]") {
  error_code const ec = errc::worker_gone;
  CHECK(ec.category() == category());
  CHECK(std::string(ec.category().name()) == "prong");
  CHECK(ec == make_error_code(errc::worker_gone));
  CHECK(ec);
}

}  // namespace
}  // namespace prong

// Programs that tests start as workers. The test binary starts itself again; what it then does
// stands beside the test, as
//
//   WORKER_PROGRAM(says_hello) { ...; return 0; }
//
// and is chosen by the environment: PRONG_TEST_WORKER=says_hello.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace prong::test {

inline constexpr char worker_program_variable[] = "PRONG_TEST_WORKER";

using worker_programs = std::map<std::string, std::function<int()>, std::less<>>;
worker_programs& all_worker_programs();
/// What the worker was started with, without its name.
std::vector<std::string>& worker_arguments();

struct worker_program {
  worker_program(std::string_view name, std::function<int()> body) {
    all_worker_programs().emplace(name, std::move(body));
  }
};

}  // namespace prong::test

#define WORKER_PROGRAM(name)                                                                     \
  static int worker_program_##name();                                                            \
  static ::prong::test::worker_program const worker_program_entry_##name(#name,                  \
                                                                         worker_program_##name); \
  static int worker_program_##name()

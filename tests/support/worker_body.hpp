// Programs that tests start as workers. The test binary starts itself again; what it then does
// stands beside the test, as
//
//   WORKER_PROGRAM(says_hello) { ...; return 0; }
//   WORKER_BODY(serves)(prong::worker& self) -> asio::awaitable<void> { ...; }
//
// and is chosen by the environment: PRONG_TEST_WORKER=says_hello. A program does everything by
// itself; a body runs in an io_context with its worker, and the process ends when that is idle.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace prong::test {

inline constexpr char worker_program_variable[] = "PRONG_TEST_WORKER";

using worker_programs = std::map<std::string, std::function<int()>, std::less<>>;
worker_programs& all_worker_programs();
/// What this process was started with, in UTF-8, without its name.
std::vector<std::string> worker_arguments();

struct worker_program {
  worker_program(std::string_view name, std::function<int()> body) {
    bool const added = all_worker_programs().emplace(name, std::move(body)).second;
    if (!added) throw std::logic_error("two bodies are called " + std::string(name));
  }
};

/// Runs a body to its end, and what it has left to the io_context. That the worker drains ends a
/// body as usual; any other exception ends the process.
int run_worker_body(asio::awaitable<void> (*body)(worker&));

}  // namespace prong::test

#define WORKER_PROGRAM(name)                                                                     \
  static int worker_program_##name();                                                            \
  static ::prong::test::worker_program const worker_program_entry_##name(#name,                  \
                                                                         worker_program_##name); \
  static int worker_program_##name()

#define WORKER_BODY(name)                                                           \
  static auto worker_body_##name(::prong::worker&)->::boost::asio::awaitable<void>; \
  static ::prong::test::worker_program const worker_body_entry_##name(              \
      #name, [] { return ::prong::test::run_worker_body(worker_body_##name); });    \
  static auto worker_body_##name

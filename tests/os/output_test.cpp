// The seam's output: what a worker writes to pipes.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"

#include <array>
#include <cstdio>

namespace prong::test {
namespace {

os::program worker_with_pipes(std::string const& name, std::vector<std::string> arguments = {}) {
  auto what = worker_called(name, std::move(arguments));
  what.output = what.error_output = stdio::pipe;
  return what;
}

// No lines, whose end is not the same on all systems.
std::string numbers_up_to(unsigned count) {
  std::string all;
  for (unsigned number = 0; number < count; ++number) all += std::to_string(number) + ' ';
  return all;
}

}  // namespace

WORKER_PROGRAM(writes_to_both_streams) {
  std::fputs("to output", stdout);
  std::fputs("to error", stderr);
  return 0;
}

TEST_CASE("what a worker writes is read, and then the end", "[os][C1][C13]") {
  asio::io_context io;
  auto worker = start(io, worker_with_pipes("writes_to_both_streams"));
  REQUIRE(worker->output);
  REQUIRE(worker->error_output);
  CHECK(read_all(io, *worker->output) == "to output");
  CHECK(read_all(io, *worker->error_output) == "to error");
  CHECK(wait_for_exit(io, worker->child).code == 0);
}

TEST_CASE("a stream that is no pipe cannot be read", "[os]") {
  asio::io_context io;
  auto what = worker_called("writes_to_both_streams");
  what.output = stdio::pipe;
  what.error_output = stdio::null;
  auto worker = start(io, what);
  CHECK(worker->output);
  CHECK_FALSE(worker->error_output);
  CHECK(read_all(io, *worker->output) == "to output");
}

WORKER_PROGRAM(writes_much) {
  auto const text = numbers_up_to(200'000);
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

TEST_CASE("more than a pipe holds arrives whole and in order", "[os][C13]") {
  asio::io_context io;
  auto worker = start(io, worker_with_pipes("writes_much"));
  CHECK(read_all(io, *worker->output) == numbers_up_to(200'000));
  CHECK(wait_for_exit(io, worker->child).code == 0);
}

WORKER_PROGRAM(leaves_its_output_to_a_grandchild) {
  std::fputs("before", stdout);
  std::fflush(stdout);
  hold_channel_in_grandchild();
  return 0;
}

TEST_CASE("after its writer has exited a stream ends, though somebody else holds it", "[os][C13]") {
  asio::io_context io;
  bool const reads_before = GENERATE(false, true);
  auto worker = start(io, worker_with_pipes("leaves_its_output_to_a_grandchild"));
  if (reads_before) {
    // The exit is seen while a read is under way.
    worker->child.async_wait(detail::handler<void(error_code, os::exit_status)>(
        [&](error_code, os::exit_status) { worker->output->writer_exited(); }));
  } else {
    wait_for_exit(io, worker->child);
    worker->output->writer_exited();
  }
  CHECK(read_all(io, *worker->output) == "before");
}

TEST_CASE("a worker does not hold the pipes of another", "[os][C5]") {
  asio::io_context io;
  auto first = start(io, worker_with_pipes("lives_with_its_channel"));
  receive(io, first->link);
  auto const second = start(io, worker_with_pipes("lives_with_its_channel"));
  receive(io, second->link);
  error_code ec;
  first->child.kill(ec);
  CHECK(read_all(io, *first->output).empty());
  CHECK(read_all(io, *first->error_output).empty());
}

TEST_CASE("destroying an output completes its read with operation_aborted", "[os][C1][C2]") {
  asio::io_context io;
  auto worker = start(io, worker_with_pipes("lives_with_its_channel"));
  receive(io, worker->link);
  std::array<std::byte, 16> buffer;
  std::optional<error_code> result;
  worker->output->async_read_some(buffer, detail::handler<void(error_code, std::size_t)>(
                                              [&](error_code ec, std::size_t) { result = ec; }));
  io.poll();
  CHECK_FALSE(result);
  worker->output.reset();
  CHECK_FALSE(result);
  run_until(io, [&] { return result.has_value(); });
  CHECK(*result == asio::error::operation_aborted);
}

TEST_CASE("many workers with pipes leave no handle open", "[os][C5]") {
  asio::io_context io;
  wait_for_exit(io, start(io, worker_with_pipes("returns_its_argument", {"0"}))->child);
  auto const before = open_handles().size();
  for (int i = 0; i < 20; ++i)
    wait_for_exit(io, start(io, worker_with_pipes("returns_its_argument", {"0"}))->child);
  CHECK(open_handles().size() == before);
}

}  // namespace prong::test

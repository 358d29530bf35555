// How a worker's body is run.
// SPDX-License-Identifier: BSL-1.0
#include "support/worker_body.hpp"

#include "common/os/process.hpp"

#include <prong/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

namespace prong::test {

std::vector<std::string> worker_arguments() {
  error_code ec;
  auto const self = os::this_program(ec);
  if (ec) throw boost::system::system_error(ec);
  return self.arguments;
}

int run_worker_body(asio::awaitable<void> (*body)(worker&)) {
  asio::io_context io(1);
  worker self(io);
  std::exception_ptr failure;
  asio::co_spawn(io, body(self), [&](std::exception_ptr thrown) {
    failure = thrown;
    if (failure) io.stop();
  });
  try {
    io.run();
    if (failure) std::rethrow_exception(failure);
  } catch (boost::system::system_error const& thrown) {
    bool const over =
        thrown.code() == asio::error::operation_aborted || thrown.code() == errc::primary_gone;
    if (!over) throw;
    io.restart();
    io.run();  // its connections
  }
  return 0;
}

}  // namespace prong::test

// The memory in which workers count their turns.
// SPDX-License-Identifier: BSL-1.0
#include "posix/turns_memory.hpp"

#include "common/os/process.hpp"
#include "posix/calls.hpp"
#include "posix/launch.hpp"
#include "posix/shared_memory.hpp"
#include "posix/variables.hpp"

#include <sys/stat.h>
#include <boost/asio/error.hpp>
#include <new>

namespace prong::os {

turns_memory::turns_memory(error_code& ec) {
  auto const made = posix::create_shared_memory(sizeof(turn_counts), ec);
  posix::unique_fd fd;
  if (!ec) fd = posix::duplicate_above(made.get(), posix::lifeline_fd + 1, ec);
  impl_ = std::make_unique<impl>(impl{std::move(fd)});
}

turns_memory::~turns_memory() = default;

std::shared_ptr<turn_counts> inherited_turns() {
  auto fd = posix::take_descriptor(turns_variable);
  // A smaller file would end this process when it looks at what is not there.
  struct stat what {};
  bool const whole =
      fd && ::fstat(fd.get(), &what) == 0 && what.st_size >= off_t{sizeof(turn_counts)};
  auto ec = whole ? error_code() : error_code(asio::error::invalid_argument);
  auto const mapped = std::make_shared<posix::shared_memory>(fd.get(), sizeof(turn_counts), ec);
  if (ec) {
    fd.release();  // whatever it is, it is not ours to close
    return {};
  }
  return {mapped, std::launder(static_cast<turn_counts*>(mapped->get()))};
}

}  // namespace prong::os

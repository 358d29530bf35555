// Memory that a worker and its primary share.
// SPDX-License-Identifier: BSL-1.0
#include "posix/shared_memory.hpp"

#include "posix/calls.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace prong::posix {

shared_memory::shared_memory(int fd, std::size_t size, error_code& ec) noexcept : size_(size) {
  if (ec) return;
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED)
    ec = last_error();
  else
    at_ = at;
}

shared_memory::~shared_memory() {
  if (at_ != nullptr) ::munmap(at_, size_);
}

unique_fd create_shared_memory(std::size_t size, error_code& ec) noexcept {
  if (ec) return {};
  auto fd = open_memory();
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) == -1 || !seal_memory(fd.get())) {
    ec = last_error();
    fd.reset();
  }
  return fd;
}

}  // namespace prong::posix

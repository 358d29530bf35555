// Memory that a worker and its primary share.
// SPDX-License-Identifier: BSL-1.0
#include "win32/shared_memory.hpp"

namespace prong::win32 {

shared_memory::shared_memory(HANDLE section, std::size_t size, error_code& ec) noexcept {
  if (ec) return;
  at_ = ::MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size);
  if (at_ == nullptr) ec = last_error();
}

shared_memory::~shared_memory() {
  if (at_ != nullptr) ::UnmapViewOfFile(at_);
}

unique_handle create_shared_memory(std::size_t size, inherited how, error_code& ec) noexcept {
  if (ec) return {};
  SECURITY_ATTRIBUTES handle{sizeof handle, nullptr, how == inherited::yes};
  unique_handle section(::CreateFileMappingW(INVALID_HANDLE_VALUE, &handle, PAGE_READWRITE, 0,
                                             static_cast<DWORD>(size), nullptr));
  if (!section) ec = last_error();
  return section;
}

}  // namespace prong::win32

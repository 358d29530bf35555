// The pipes between the primary and a worker: named ones, because only these are overlapped.
// SPDX-License-Identifier: BSL-1.0
#include "win32/pipe.hpp"

#include <bcrypt.h>
#include <fmt/xchar.h>
#include <sddl.h>
#include <array>
#include <boost/asio/error.hpp>
#include <cstdint>
#include <string>

namespace prong::win32 {
namespace {

// A worker that ends can leave so much behind; as much as with a socket pair on Linux.
constexpr DWORD buffer_size = 208 * 1024;

// SYSTEM, Administrators, and the owner of the object, which is us.
constexpr wchar_t access[] = L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)";

// 128 random bits: others on this machine can neither guess the name nor have taken it.
std::wstring make_name(error_code& ec) {
  std::array<std::uint64_t, 2> random{};
  auto const bytes = reinterpret_cast<UCHAR*>(random.data());
  if (::BCryptGenRandom(nullptr, bytes, sizeof random, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) {
    ec = system_error(ERROR_GEN_FAILURE);
  }
  return fmt::format(LR"(\\.\pipe\prong-{:016x}{:016x})", random[0], random[1]);
}

struct local_memory {
  void* pointer = nullptr;
  ~local_memory() { ::LocalFree(pointer); }
};

// How the two ends are opened.
struct pipe_form {
  DWORD ours;
  DWORD theirs;
  DWORD their_flags;
};
constexpr pipe_form for_frames{PIPE_ACCESS_DUPLEX, GENERIC_READ | GENERIC_WRITE,
                               FILE_FLAG_OVERLAPPED};
constexpr pipe_form for_output{PIPE_ACCESS_INBOUND, GENERIC_WRITE | FILE_READ_ATTRIBUTES, 0};

pipe_ends open_pipe(pipe_form const& form, error_code& ec) {
  pipe_ends ends;
  auto const name = make_name(ec);
  if (ec) return ends;
  local_memory descriptor;
  if (!::ConvertStringSecurityDescriptorToSecurityDescriptorW(access, SDDL_REVISION_1,
                                                              &descriptor.pointer, nullptr)) {
    ec = last_error();
    return ends;
  }
  SECURITY_ATTRIBUTES kept{sizeof kept, descriptor.pointer, FALSE};
  ends.ours = unique_handle(::CreateNamedPipeW(
      name.c_str(), form.ours | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
      PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1, buffer_size,
      buffer_size, 0, &kept));
  if (!ends.ours) {
    ec = last_error();
    return ends;
  }
  // The server may learn who we are, and act for us in nothing.
  SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
  ends.theirs = unique_handle(
      ::CreateFileW(name.c_str(), form.theirs, 0, &inherited, OPEN_EXISTING,
                    form.their_flags | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, nullptr));
  if (!ends.theirs) ec = last_error();
  return ends;
}

}  // namespace

pipe_ends open_pipe(error_code& ec) {
  return open_pipe(for_frames, ec);
}

pipe_ends open_output_pipe(error_code& ec) {
  return open_pipe(for_output, ec);
}

error_code translate_end(error_code const& ec) noexcept {
  if (ec.category() == boost::system::system_category()) {
    switch (ec.value()) {
      case ERROR_BROKEN_PIPE:
      case ERROR_NO_DATA:
      case ERROR_PIPE_NOT_CONNECTED:
      case ERROR_HANDLE_EOF: return asio::error::eof;
      default: break;
    }
  }
  return ec;
}

bool is_worker_end(HANDLE handle) noexcept {
  DWORD flags = 0;
  return ::GetFileType(handle) == FILE_TYPE_PIPE &&
         ::GetNamedPipeInfo(handle, &flags, nullptr, nullptr, nullptr) &&
         (flags & PIPE_SERVER_END) == 0;
}

}  // namespace prong::win32

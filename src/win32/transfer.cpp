// Sockets on their way between processes.
// SPDX-License-Identifier: BSL-1.0
#include "win32/transfer.hpp"

#include "win32/handle.hpp"

#include <cstring>

namespace prong::win32 {

static_assert(sizeof(WSAPROTOCOL_INFOW) == socket_info_size);

socket_info export_socket(os::native_socket socket, process_id receiver, error_code& ec) noexcept {
  WSAPROTOCOL_INFOW info{};
  if (::WSADuplicateSocketW(socket, receiver, &info) != 0) ec = last_socket_error();
  socket_info bytes;
  std::memcpy(bytes.data(), &info, sizeof info);
  return bytes;
}

os::socket import_socket(std::span<std::byte const, socket_info_size> bytes,
                         error_code& ec) noexcept {
  WSAPROTOCOL_INFOW info;
  std::memcpy(&info, bytes.data(), sizeof info);
  os::socket result(::WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info,
                                 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  if (!result) ec = last_socket_error();
  return result;
}

os::socket duplicate_socket(os::native_socket socket, error_code& ec) noexcept {
  auto const info = export_socket(socket, ::GetCurrentProcessId(), ec);
  return ec ? os::socket() : import_socket(info, ec);
}

}  // namespace prong::win32

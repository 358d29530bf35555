// A socket that several processes may share.
// SPDX-License-Identifier: BSL-1.0
#include "posix/shared_socket.hpp"

#include "common/os/completing.hpp"

#include <sys/socket.h>
#include <algorithm>
#include <cstring>
#include <filesystem>

namespace prong::posix {
namespace {

template <class Protocol>
endpoint from_native(sockaddr_storage const& name, socklen_t size) {
  typename Protocol::endpoint result;
  auto const all = std::min<std::size_t>(size, result.capacity());
  std::memcpy(result.data(), &name, all);
  result.resize(all);
  return result;
}

}  // namespace

int option_of(int socket, int name, error_code& ec) noexcept {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(socket, SOL_SOCKET, name, &value, &size) == -1) ec = last_error();
  return value;
}

shared_socket::shared_socket(asio::any_io_executor const& executor, unique_fd shared,
                             error_code& ec)
    : socket_(std::move(shared)), readable_(executor) {
  // The flag belongs to the socket, not to the handle. To set it again is cheaper than to trust
  // whoever made the socket: a blocking accept would stop this process.
  if (!set_non_blocking(native())) ec = last_error();
}

shared_socket::~shared_socket() {
  stop_watching();
}

endpoint shared_socket::local_endpoint() {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(native(), reinterpret_cast<sockaddr*>(&name), &size) == -1) return {};
  if (name.ss_family == AF_UNIX) {
    auto result = from_native<asio::local::stream_protocol>(name, size);
    bool const is_file = !result.path.empty() && result.path.front() != '\0';
    std::error_code ignored;
    if (is_file) result.path = std::filesystem::absolute(result.path, ignored).native();
    return result;
  }
  error_code ignored;
  return option_of(native(), SO_TYPE, ignored) == SOCK_DGRAM
             ? from_native<asio::ip::udp>(name, size)
             : from_native<asio::ip::tcp>(name, size);
}

void shared_socket::async_wait(detail::handler<void(error_code)> completion) {
  cancelled_ = false;
  error_code ec;
  if (!readable_.is_open()) readable_.assign(native(), ec);
  if (ec)
    os::post(readable_.get_executor(), std::move(completion), ec);
  else
    readable_.async_wait(asio::posix::stream_descriptor::wait_read,
                         os::without_associations(std::move(completion)));
}

void shared_socket::cancel() noexcept {
  cancelled_ = true;
  stop_watching();
}

void shared_socket::stop_watching() noexcept {
  if (readable_.is_open()) readable_.release();
}

}  // namespace prong::posix

// Local sockets, and the files that are their names.
// SPDX-License-Identifier: BSL-1.0
#include "posix/local_socket.hpp"

#include "posix/calls.hpp"

#include <prong/error.hpp>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <utility>

namespace prong::posix {
namespace {

namespace fs = std::filesystem;
using local_address = asio::local::stream_protocol::endpoint;

// Names without a file, which begin with a NUL.
#if defined(__linux__)
constexpr bool has_abstract_names = true;
#else
constexpr bool has_abstract_names = false;
#endif

constexpr std::size_t longest_name = sizeof(sockaddr_un::sun_path) - 1;

void check(detail::listen_request const& request, error_code& ec) noexcept {
  auto const& path = request.where.path;
  bool const abstract = path.starts_with('\0');
  bool const has_nul = path.find('\0') != std::string::npos;
  // An abstract name has no permissions: to pass them over would let in everybody.
  if (path.empty() || (abstract ? request.how.mode.has_value() : has_nul))
    ec = asio::error::invalid_argument;
  else if (request.how.reuse_port || (abstract && !has_abstract_names))
    ec = errc::not_supported;
  else if (abstract && path.size() > longest_name)
    ec = system_error(ENAMETOOLONG);
}

// The absolute path, so that a process that has the socket in another folder knows it too; but what
// is too long for an address may be short enough from here.
std::string name_of(fs::path const& path, error_code& ec) {
  if (path.native().size() <= longest_name) return path.native();
  std::error_code failed;
  auto const here = fs::current_path(failed);
  auto relative = path.lexically_relative(here).native();
  if (!failed && !relative.empty() && relative.size() <= longest_name) return relative;
  ec = system_error(ENAMETOOLONG);
  return {};
}

bool call_with(local_address const& where, int socket,
               int (*call)(int, sockaddr const*, socklen_t)) noexcept {
  return call(socket, where.data(), static_cast<socklen_t>(where.size())) == 0;
}

// A primary that was killed leaves its file behind. That nobody listens is a question of the
// socket, and not of who made the file: whoever listens may have it from somebody else.
bool remove_left_over(std::string const& name) noexcept {
  struct stat file {};
  if (::lstat(name.c_str(), &file) == -1) return errno == ENOENT;
  if (!S_ISSOCK(file.st_mode)) return false;
  error_code ec;
  auto const client = open_socket(AF_UNIX, SOCK_STREAM, ec);
  if (ec || call_with(name, client.get(), ::connect) || errno != ECONNREFUSED) return false;
  return ::unlink(name.c_str()) == 0;
}

unique_fd bind_name(std::string const& name, error_code& ec) {
  auto made = open_socket(AF_UNIX, SOCK_STREAM, ec);
  if (!ec && !call_with(name, made.get(), ::bind)) ec = last_error();
  return made;
}

}  // namespace

local_file::local_file(std::string absolute_path) noexcept : path_(std::move(absolute_path)) {
  struct stat file {};
  if (::lstat(path_.c_str(), &file) == -1) path_.clear();
  device_ = file.st_dev;
  number_ = file.st_ino;
}

local_file::local_file(local_file&& other) noexcept {
  swap(other);
}

local_file& local_file::operator=(local_file&& other) noexcept {
  local_file old;
  old.swap(*this);
  swap(other);
  return *this;
}

local_file::~local_file() {
  if (is_still_there()) ::unlink(path_.c_str());
}

bool local_file::is_still_there() const noexcept {
  struct stat file {};
  return !path_.empty() && ::lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ &&
         file.st_ino == number_;
}

void local_file::swap(local_file& other) noexcept {
  path_.swap(other.path_);
  std::swap(device_, other.device_);
  std::swap(number_, other.number_);
}

unique_fd bind_local_socket(detail::listen_request const& request, local_file& file,
                            error_code& ec) {
  check(request, ec);
  if (ec) return {};
  auto const& asked = request.where.path;
  if (asked.front() == '\0') return bind_name(asked, ec);
  std::error_code failed;
  auto const path = fs::absolute(asked, failed);
  if (failed) ec = failed;
  auto const name = ec ? std::string() : name_of(path, ec);
  if (ec) return {};
  auto made = bind_name(name, ec);
  if (ec == asio::error::address_in_use && remove_left_over(name)) {
    ec.clear();
    made = bind_name(name, ec);
  }
  if (ec) return {};
  file = local_file(path.native());
  // Nobody can connect before it listens, so no client comes in by other permissions.
  if (request.how.mode && ::chmod(name.c_str(), static_cast<mode_t>(*request.how.mode)) == -1)
    ec = last_error();
  return made;
}

}  // namespace prong::posix

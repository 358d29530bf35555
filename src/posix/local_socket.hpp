// Local sockets, and the files that are their names.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <prong/listen_options.hpp>

#include <sys/types.h>
#include <string>

namespace prong::posix {

/// The file of a local socket. Removed with this object, if it is still the same file then.
class local_file {
 public:
  local_file() = default;
  /// The file that lies there now.
  explicit local_file(std::string absolute_path) noexcept;
  local_file(local_file const&) = delete;
  local_file& operator=(local_file const&) = delete;
  local_file(local_file&& other) noexcept;
  local_file& operator=(local_file&& other) noexcept;
  ~local_file();

 private:
  bool is_still_there() const noexcept;
  void swap(local_file& other) noexcept;

  std::string path_;  // empty: there is none
  dev_t device_ = 0;
  ino_t number_ = 0;
};

/// Binds to the request's path, and gives its file; an abstract name has none. A file that is there
/// already gives way if it is a socket on which nobody listens (C14).
unique_fd bind_local_socket(detail::listen_request const& request, local_file& file,
                            error_code& ec);

}  // namespace prong::posix

// The seam: who has started this process. `prong/host.hpp` says what each host takes and tells.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>
#include <prong/options.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prong::os {

/// What is called when the host asks for something: on the executor, and never during a call of
/// `host`.
struct host_requests {
  std::function<void()> stop;
  std::function<void()> reload;
  std::function<void()> status;
};

class host {
 public:
  /// There is no other one in this process.
  host(asio::any_io_executor executor, host_requests requests, error_code& ec);
  /// No request is called any more. If `stopped` was not, this process is taken for crashed.
  ~host();

  /// Arguments that came with the start beside those of the command line.
  std::vector<std::string> start_arguments() const;

  void ready();
  void reloading();
  void stopping();
  void progress(duration at_most);
  /// Nothing keeps the executor's context running any more.
  void stopped(error_code why);
  void status(std::string_view text);
  void log(log_level level, std::string_view text);

 private:
  class impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace prong::os

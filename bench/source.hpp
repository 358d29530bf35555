// Where the connections of the benchmark's workers come from. Each source is a function that runs
// the whole server: the workers' processes, and the one that starts them.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "service.hpp"

#include <prong/options.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct settings {
  std::string source = "prong";
  std::size_t workers = 0;
  prong::scheduling scheduling = prong::scheduling::round_robin;
  std::size_t window = 0;  // 0: the library's default
  bool count = false;      // tell the library when a connection ends
};

/// prong: the same program is the primary, and each worker.
int run_prong(settings const& how);
/// No cluster: this process accepts and serves.
int run_single(settings const& how);

// In plain system calls, where there are such (Linux).

/// Each worker accepts on its own socket with SO_REUSEPORT: nothing is handed over.
int run_direct(settings const& how);
/// The primary accepts and hands over by SCM_RIGHTS, in rotation, and asks for no answer.
int run_hand_off(settings const& how);
/// All workers wait on one socket, and who has time takes one connection and serves it to its end.
int run_shared_queue(settings const& how);

/// Prints that all workers listen: one line of JSON.
void announce(std::uint16_t port, std::vector<prong::process_id> const& workers);

/// Ends the context when its process is asked to end, by a signal or by the end of its input.
class end_watch {
 public:
  explicit end_watch(asio::io_context& context);

 private:
  asio::signal_set signals_;
};

}  // namespace bench

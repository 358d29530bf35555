// What a client of the benchmark has seen, and how it says that.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace bench {

using clock = std::chrono::steady_clock;

class tally {
 public:
  /// `workers`: how many there are, of which some may never be seen.
  explicit tally(std::size_t workers) : workers_(workers) {}

  /// A connection to this worker was served; its answer took so long. What was asked to be slow
  /// does not count among the latencies.
  void served(std::string const& worker, clock::duration latency, bool slow);
  void failed() { ++failed_; }
  void opened(std::string const& worker) { ++open_[worker]; }
  void closed(std::string const& worker) { --open_[worker]; }
  /// Notes how many connections are open in the busiest and in the idlest worker.
  void sample_open();

  /// One line of JSON.
  std::string told_after(clock::duration time) const;

 private:
  std::size_t workers_;
  std::size_t served_ = 0;
  std::size_t failed_ = 0;
  std::vector<double> latencies_{};             // in milliseconds
  std::map<std::string, std::size_t> share_{};  // connections by worker
  std::map<std::string, int> open_{};
  std::vector<double> busiest_{}, idlest_{}, spread_{};  // one each sample
};

}  // namespace bench

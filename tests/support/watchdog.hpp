// Ends a test program in which a test hangs in a call, where no deadline of the event loop helps.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace prong::test {

class watchdog {
 public:
  watchdog();
  watchdog(watchdog const&) = delete;
  watchdog& operator=(watchdog const&) = delete;
  ~watchdog();

 private:
  void watch();

  std::string test_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace prong::test

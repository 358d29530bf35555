// Ends a test program in which a test hangs in a call.
// SPDX-License-Identifier: BSL-1.0
#include "support/watchdog.hpp"

#include "support/catch.hpp"
#include "support/system.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace prong::test {

watchdog::watchdog()
    : test_(Catch::getResultCapture().getCurrentTestName()), thread_([this] { watch(); }) {}

watchdog::~watchdog() {
  {
    std::lock_guard const lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void watchdog::watch() {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, std::chrono::seconds(40), [this] { return over_; })) return;
  std::fprintf(stderr, "'%s' hangs:\n%s", test_.c_str(), what_processes_do().c_str());
  std::abort();
}

}  // namespace prong::test

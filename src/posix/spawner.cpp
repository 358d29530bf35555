// The thread from which programs are started.
// SPDX-License-Identifier: BSL-1.0
#include "posix/spawner.hpp"

#include "posix/launch.hpp"

#include <csignal>
#include <system_error>

namespace prong::posix {

std::shared_ptr<spawner> spawner::shared(error_code& ec) {
  static std::mutex mutex;
  static std::weak_ptr<spawner> current;
  std::lock_guard const lock(mutex);
  auto found = current.lock();
  if (!found) {
    found = std::make_shared<spawner>();
    found->start(ec);
    if (ec) return nullptr;
    current = found;
  }
  return found;
}

void spawner::start(error_code& ec) {
  if (!kernel_ends_orphans) {
    auto ends = open_pipe(ec);
    if (ec) return;
    lifeline_ = duplicate_above(ends.read.get(), lifeline_fd + 1, ec);
    lifeline_held_ = std::move(ends.write);
    if (ec) return;
  }
  // The new thread inherits the mask; the caller has its own back at once.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { serve(); });
  } catch (std::system_error const& failure) {
    ec = failure.code();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

spawner::~spawner() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard const lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void spawner::run(std::function<void()> job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !job_; });  // another thread's turn
  bool done = false;
  job_ = [&] {
    job();
    done = true;
  };
  changed_.notify_all();
  changed_.wait(lock, [&] { return done; });
}

void spawner::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return job_ || ended_; });
    if (!job_) return;
    job_();
    job_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace prong::posix

// A worker's process, and how it is started.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/process.hpp"

#include "common/os/completing.hpp"
#include "common/os/mailbox.hpp"
#include "posix/calls.hpp"
#include "posix/channel.hpp"
#include "posix/launch.hpp"
#include "posix/output.hpp"
#include "posix/shared_memory.hpp"
#include "posix/spawner.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <csignal>

namespace prong::os {
namespace {

using descriptor = asio::posix::stream_descriptor;
using posix::retry;
using posix::unique_fd;
using completion_handler = detail::handler<void(error_code, exit_status)>;

exit_status translate(int status) noexcept {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

// Not Boost.Process's handle: that of 1.81 keeps the number after it has reaped, and its kill and
// wait would then go to whoever has it next.
class process_state : public std::enable_shared_from_this<process_state> {
 public:
  process_state(asio::any_io_executor const& executor, pid_t pid,
                std::shared_ptr<posix::spawner> origin)
      : exit_(executor), pid_(pid), origin_(std::move(origin)) {}

  error_code assign(unique_fd exit) {
    error_code ec;
    exit_.assign(exit.get(), ec);
    if (!ec) exit.release();
    return ec;
  }
  pid_t pid() const noexcept { return pid_; }
  void wait(completion_handler completion);
  error_code kill() noexcept;
  void abandon() noexcept;

 private:
  error_code reap(int options, exit_status& status) noexcept;

  descriptor exit_;  // readable when the process has ended
  pid_t pid_;        // 0 once reaped
  bool killed_ = false;
  std::shared_ptr<posix::spawner> origin_;
};

// A wait may end early: of a descriptor that was closed, the system can still tell while a program
// that is just being started has not let go of its copy, and Asio then takes it for another one's.
void process_state::wait(completion_handler completion) {
  auto reap_and_tell = [self = shared_from_this(),
                        completion = std::move(completion)](error_code ec) mutable {
    exit_status status;
    if (!ec && !self->exit_.is_open()) ec = asio::error::operation_aborted;
    if (!ec) ec = self->reap(WNOHANG, status);
    if (ec == asio::error::would_block) return self->wait(std::move(completion));
    post(self->exit_.get_executor(), std::move(completion), ec, status);
  };
  exit_.async_wait(descriptor::wait_read, std::move(reap_and_tell));
}

error_code process_state::reap(int options, exit_status& status) noexcept {
  if (pid_ == 0) return asio::error::operation_aborted;
  int raw = 0;
  auto const result = retry([&] { return ::waitpid(pid_, &raw, options); });
  if (result == 0) return asio::error::would_block;
  // ECHILD: the host program ignores SIGCHLD, or waits for any child. The process has ended, but
  // nobody can say how, and its number is no longer ours.
  auto const ec = result == -1 ? posix::last_error() : error_code();
  if (!ec) status = translate(raw);
  pid_ = 0;
  origin_.reset();
  return ec;
}

error_code process_state::kill() noexcept {
  if (pid_ == 0) return {};
  killed_ = true;
  return ::kill(pid_, SIGKILL) == -1 ? posix::last_error() : error_code();
}

void process_state::abandon() noexcept {
  error_code ignored;
  if (killed_ && pid_ != 0 && exit_.is_open()) {
    // A thread may hold the other end of `exit_`: it is to be gone as well when this returns.
    pollfd end{exit_.native_handle(), POLLIN, 0};
    retry([&] { return ::poll(&end, 1, -1); });
  }
  exit_.close(ignored);
  if (pid_ == 0) return;
  exit_status unused;
  // A process that nobody killed must not end because the thread that started it does.
  if (reap(killed_ ? 0 : WNOHANG, unused) == asio::error::would_block) origin_->stay();
}

// Above the numbers that a worker uses.
unique_fd out_of_the_way(unique_fd fd, error_code& ec) noexcept {
  return ec ? unique_fd() : posix::duplicate_above(fd.get(), posix::lifeline_fd + 1, ec);
}

// A channel, and what the worker has of it.
channel open_link(asio::any_io_executor const& executor, posix::worker_ends& theirs,
                  error_code& ec) {
  auto ends = posix::open_socket_pair(ec);
  if (!ec) theirs.channel = out_of_the_way(std::move(ends[1]), ec);
  if (!ec)
    theirs.mailbox = out_of_the_way(posix::create_shared_memory(sizeof(mailbox::memory), ec), ec);
  return posix::open_channel(executor, std::move(ends[0]), theirs.mailbox.get(), side::primary, ec);
}

// What the worker has as one of its streams; of a pipe, our end goes to `ours`.
unique_fd open_stream(asio::any_io_executor const& executor, stdio kind,
                      std::optional<output>& ours, error_code& ec) {
  unique_fd theirs;
  if (ec || kind == stdio::inherit) return theirs;
  if (kind == stdio::null) {
    theirs.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!theirs) ec = posix::last_error();
  } else {
    auto ends = posix::open_pipe(ec);
    if (!ec) ours = posix::open_output(executor, std::move(ends.read), ec);
    theirs = std::move(ends.write);
  }
  return out_of_the_way(std::move(theirs), ec);
}

}  // namespace

class process::impl {
 public:
  explicit impl(std::shared_ptr<process_state> shared) : state(std::move(shared)) {}
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() { state->abandon(); }

  std::shared_ptr<process_state> const state;  // shared with a pending wait
};

process::process(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
process::process(process&&) noexcept = default;
process& process::operator=(process&&) noexcept = default;
process::~process() = default;

process_id process::id() const noexcept {
  return static_cast<process_id>(impl_->state->pid());
}

void process::async_wait(completion_handler completion) {
  impl_->state->wait(std::move(completion));
}

void process::kill(error_code& ec) noexcept {
  ec = impl_->state->kill();
}

std::unique_ptr<spawned> spawn(asio::any_io_executor executor, program const& what,
                               error_code& ec) {
  ec.clear();
  posix::worker_ends theirs;
  auto link = open_link(executor, theirs, ec);
  if (ec) return nullptr;
  auto const origin = posix::spawner::shared(ec);
  if (ec) return nullptr;
  std::optional<output> nothing, written, errors;
  posix::standard_streams const streams{open_stream(executor, what.input, nothing, ec),
                                        open_stream(executor, what.output, written, ec),
                                        open_stream(executor, what.error_output, errors, ec)};
  posix::launch const launch(what, origin->lifeline(), ec);
  if (ec) return nullptr;

  pid_t pid = 0;
  unique_fd exit;
  origin->run([&] {
    pid = launch.start(theirs, streams, ec);
    if (!ec) exit = posix::open_exit_descriptor(pid, ec);
  });
  if (pid == 0) return nullptr;
  auto state = std::make_shared<process_state>(executor, pid, origin);
  if (!ec) ec = state->assign(std::move(exit));
  process child(std::make_unique<process::impl>(std::move(state)));
  if (!ec)
    return std::make_unique<spawned>(
        spawned{std::move(child), std::move(link), std::move(written), std::move(errors)});
  // It runs, but cannot be watched: killed here, and reaped by the destructor.
  error_code ignored;
  child.kill(ignored);
  return nullptr;
}

}  // namespace prong::os

// A worker's process, and how it is started.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/process.hpp"

#include "common/os/completing.hpp"
#include "common/os/mailbox.hpp"
#include "win32/channel.hpp"
#include "win32/launch.hpp"
#include "win32/output.hpp"
#include "win32/pipe.hpp"
#include "win32/shared_memory.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/windows/object_handle.hpp>

namespace prong::os {
namespace {

using completion_handler = detail::handler<void(error_code, exit_status)>;

// How a process that we ended looks: as where signals exist.
constexpr int killed_signal = 9;
constexpr UINT killed_status = 128 + killed_signal;

// The time that the system may need to end a process that was told to.
constexpr DWORD end_patience = 5'000;

// Not Boost.Process's handle: that of 1.81 waits for ever for a process that returned 259.
class process_state : public std::enable_shared_from_this<process_state> {
 public:
  process_state(asio::any_io_executor const& executor, process_id id)
      : handle_(executor), id_(id) {}

  error_code assign(win32::unique_handle process) {
    error_code ec;
    handle_.assign(process.get(), ec);
    if (!ec) process.release();
    return ec;
  }
  process_id id() const noexcept { return id_; }
  void wait(completion_handler completion);
  error_code kill() noexcept;
  void abandon() noexcept;

 private:
  exit_status reap(error_code& ec) noexcept;

  asio::windows::object_handle handle_;
  process_id id_;  // 0 once it is known how the process ended
  bool killed_ = false;
};

void process_state::wait(completion_handler completion) {
  handle_.async_wait(
      [self = shared_from_this(), completion = std::move(completion)](error_code ec) mutable {
        exit_status status;
        if (!ec) status = self->reap(ec);
        post(self->handle_.get_executor(), std::move(completion), ec, status);
      });
}

exit_status process_state::reap(error_code& ec) noexcept {
  DWORD code = 0;
  if (!handle_.is_open()) {
    ec = asio::error::operation_aborted;
  } else if (!::GetExitCodeProcess(handle_.native_handle(), &code)) {
    ec = win32::last_error();
  }
  id_ = 0;
  // The system does not say who ended a process; we know of ourselves.
  return {static_cast<int>(code), killed_ && code == killed_status ? killed_signal : 0};
}

error_code process_state::kill() noexcept {
  if (id_ == 0) return {};
  if (::TerminateProcess(handle_.native_handle(), killed_status)) {
    killed_ = true;
    return {};
  }
  auto const ec = win32::last_error();
  // One that has ended cannot be ended.
  bool const over = ::WaitForSingleObject(handle_.native_handle(), 0) == WAIT_OBJECT_0;
  return over ? error_code() : ec;
}

void process_state::abandon() noexcept {
  if (killed_ && id_ != 0) ::WaitForSingleObject(handle_.native_handle(), end_patience);
  error_code ignored;
  handle_.close(ignored);
}

// A pipe for one of the worker's streams, if it is to be one; our end goes to `ours`.
win32::unique_handle open_stream(asio::any_io_executor const& executor, stdio kind,
                                 std::optional<output>& ours, error_code& ec) {
  if (ec || kind != stdio::pipe) return {};
  auto ends = win32::open_output_pipe(ec);
  if (ec) return {};
  ours = win32::open_output(executor, std::move(ends.ours), ec);
  return std::move(ends.theirs);
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
  return impl_->state->id();
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
  auto ends = win32::open_pipe(ec);
  auto const memory =
      win32::create_shared_memory(sizeof(mailbox::memory), win32::inherited::yes, ec);
  if (ec) return nullptr;
  std::optional<output> written, errors;
  auto output_end = open_stream(executor, what.output, written, ec);
  auto error_end = open_stream(executor, what.error_output, errors, ec);
  if (ec) return nullptr;
  auto const child =
      win32::launch(what, {ends.theirs.get(), memory.get(), output_end.get(), error_end.get()}, ec);
  if (ec) return nullptr;
  // Else the end of the worker would not be the end of its pipes.
  for (auto* const each : {&ends.theirs, &output_end, &error_end}) each->reset();
  auto state = std::make_shared<process_state>(executor, child.id);
  process result(std::make_unique<process::impl>(state));
  auto watched = win32::duplicate(child.process.get(), false, ec);
  if (!ec) ec = state->assign(std::move(watched));
  win32::receiver worker{child.id, win32::duplicate(child.process.get(), false, ec)};
  auto link = win32::open_channel(executor, std::move(ends.ours), std::move(worker), memory.get(),
                                  side::primary, ec);
  if (!ec)
    return std::make_unique<spawned>(
        spawned{std::move(result), std::move(link), std::move(written), std::move(errors)});
  // It runs, but cannot be watched or talked to. `result` may have no handle to end it by.
  ::TerminateProcess(child.process.get(), killed_status);
  return nullptr;
}

}  // namespace prong::os

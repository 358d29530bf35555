// What a worker writes to its standard output or error: our end of a pipe.
// SPDX-License-Identifier: BSL-1.0
#include "win32/output.hpp"

#include "common/os/completing.hpp"
#include "win32/pipe.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/windows/stream_handle.hpp>
#include <utility>

namespace prong::os {
namespace {

using completion_handler = detail::handler<void(error_code, std::size_t)>;

// As `channel_state`: an operation carries its handler inside what it waits for, never in here.
class output_state : public std::enable_shared_from_this<output_state> {
 public:
  explicit output_state(asio::any_io_executor const& executor) : pipe_(executor) {}

  error_code assign(win32::unique_handle end) {
    error_code ec;
    pipe_.assign(end.get(), ec);
    if (!ec) end.release();
    return ec;
  }

  void read(std::span<std::byte> into, completion_handler completion);
  void writer_exited() noexcept;
  void close() noexcept;

 private:
  void on_read(error_code ec, std::size_t count, std::span<std::byte> into,
               completion_handler completion);
  std::size_t waiting() noexcept;
  void finish(completion_handler completion, error_code const& ec, std::size_t count = 0) {
    post(pipe_.get_executor(), std::move(completion), ec, count);
  }

  asio::windows::stream_handle pipe_;
  std::optional<std::size_t> left_;  // to be read, once the writer has exited
  bool exited_ = false;
  bool closed_ = false;
};

void output_state::read(std::span<std::byte> into, completion_handler completion) {
  if (closed_) return finish(std::move(completion), asio::error::operation_aborted);
  // What is in the pipe now, and nothing that others may write later.
  if (exited_ && !left_) left_ = waiting();
  if (left_) into = into.first(std::min(into.size(), *left_));
  if (into.empty()) return finish(std::move(completion), asio::error::eof);
  pipe_.async_read_some(asio::buffer(into.data(), into.size()),
                        [self = shared_from_this(), into, completion = std::move(completion)](
                            error_code const& ec, std::size_t count) mutable {
                          self->on_read(ec, count, into, std::move(completion));
                        });
}

void output_state::on_read(error_code ec, std::size_t count, std::span<std::byte> into,
                           completion_handler completion) {
  // The read may have been cancelled too late, when it had its bytes.
  if (count > 0) {
    if (left_) *left_ -= count;
    return finish(std::move(completion), {}, count);
  }
  bool const interrupted = ec == asio::error::operation_aborted && !closed_;
  // Who writes nothing wakes the reader all the same.
  if (!ec || interrupted) return read(into, std::move(completion));
  finish(std::move(completion), win32::translate_end(ec));
}

void output_state::writer_exited() noexcept {
  exited_ = true;
  error_code ignored;
  pipe_.cancel(ignored);  // what waits comes back, and finds the rest or the end
}

std::size_t output_state::waiting() noexcept {
  DWORD available = 0;
  ::PeekNamedPipe(pipe_.native_handle(), nullptr, 0, nullptr, &available, nullptr);
  return available;
}

void output_state::close() noexcept {
  closed_ = true;
  error_code ignored;
  // To close alone does not end a pending read in every case: Wine forgets it in a service.
  pipe_.cancel(ignored);
  pipe_.close(ignored);
}

}  // namespace

class output::impl {
 public:
  explicit impl(asio::any_io_executor const& executor)
      : state(std::make_shared<output_state>(executor)) {}
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() { state->close(); }

  std::shared_ptr<output_state> const state;
};

output::output(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
output::output(output&&) noexcept = default;
output& output::operator=(output&&) noexcept = default;
output::~output() = default;

void output::async_read_some(std::span<std::byte> into, completion_handler completion) {
  impl_->state->read(into, std::move(completion));
}

void output::writer_exited() noexcept {
  impl_->state->writer_exited();
}

}  // namespace prong::os

std::optional<prong::os::output> prong::win32::open_output(asio::any_io_executor const& executor,
                                                           unique_handle end, error_code& ec) {
  auto made = std::make_unique<os::output::impl>(executor);
  ec = made->state->assign(std::move(end));
  if (ec) return std::nullopt;
  return os::output(std::move(made));
}

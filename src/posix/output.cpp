// What a worker writes to its standard output or error: the reading end of a pipe.
// SPDX-License-Identifier: BSL-1.0
#include "posix/output.hpp"

#include "common/os/completing.hpp"

#include <sys/ioctl.h>
#include <unistd.h>
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

namespace prong::os {
namespace {

using descriptor = asio::posix::stream_descriptor;
using completion_handler = detail::handler<void(error_code, std::size_t)>;

// As `channel_state`: an operation carries its handler inside what it waits for, never in here.
class output_state : public std::enable_shared_from_this<output_state> {
 public:
  explicit output_state(asio::any_io_executor const& executor) : descriptor_(executor) {}

  error_code assign(posix::unique_fd end) {
    if (!posix::set_non_blocking(end.get())) return posix::last_error();
    error_code ec;
    descriptor_.assign(end.get(), ec);
    if (!ec) end.release();
    return ec;
  }

  void read(std::span<std::byte> into, completion_handler completion);
  void writer_exited() noexcept;
  void close() noexcept;

 private:
  std::size_t waiting() noexcept;
  void finish(completion_handler completion, error_code const& ec, std::size_t count = 0) {
    post(descriptor_.get_executor(), std::move(completion), ec, count);
  }

  descriptor descriptor_;
  std::optional<std::size_t> left_;  // to be read, once the writer has exited
  bool closed_ = false;
};

void output_state::read(std::span<std::byte> into, completion_handler completion) {
  if (closed_) return finish(std::move(completion), asio::error::operation_aborted);
  if (left_) into = into.first(std::min(into.size(), *left_));
  if (into.empty()) return finish(std::move(completion), asio::error::eof);
  auto const count =
      posix::retry([&] { return ::read(descriptor_.native_handle(), into.data(), into.size()); });
  if (count > 0) {
    if (left_) *left_ -= static_cast<std::size_t>(count);
    return finish(std::move(completion), {}, static_cast<std::size_t>(count));
  }
  if (count == 0) return finish(std::move(completion), asio::error::eof);
  auto const ec = posix::last_error();
  if (ec != asio::error::would_block) return finish(std::move(completion), ec);
  descriptor_.async_wait(
      descriptor::wait_read,
      [self = shared_from_this(), into, completion = std::move(completion)](
          error_code const&) mutable { self->read(into, std::move(completion)); });
}

// What is in the pipe now, and nothing that others may write later.
void output_state::writer_exited() noexcept {
  left_ = waiting();
  error_code ignored;
  descriptor_.cancel(ignored);  // what waits comes back, and finds the rest or the end
}

std::size_t output_state::waiting() noexcept {
  int count = 0;
  if (::ioctl(descriptor_.native_handle(), FIONREAD, &count) == -1) return 0;
  return static_cast<std::size_t>(count);
}

void output_state::close() noexcept {
  closed_ = true;
  error_code ignored;
  descriptor_.close(ignored);
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

std::optional<prong::os::output> prong::posix::open_output(asio::any_io_executor const& executor,
                                                           unique_fd end, error_code& ec) {
  auto made = std::make_unique<os::output::impl>(executor);
  ec = made->state->assign(std::move(end));
  if (ec) return std::nullopt;
  return os::output(std::move(made));
}

// The channel: frames over a socket pair, sockets by SCM_RIGHTS.
// SPDX-License-Identifier: BSL-1.0
#include "posix/channel.hpp"

#include "common/os/clock.hpp"
#include "common/os/completing.hpp"
#include "common/os/mailbox.hpp"
#include "posix/message_socket.hpp"
#include "posix/shared_memory.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

namespace prong::os {
namespace {

using completion_handler = detail::handler<void(error_code)>;
using descriptor = asio::posix::stream_descriptor;

constexpr std::size_t read_size = 64 * 1024;
// With more sockets than this that no frame claims, the other side is no channel of ours.
constexpr std::size_t most_unclaimed = 256;
// The kernel gives no notice when it has memory, or room for descriptors in flight, again.
constexpr auto resource_pause = std::chrono::milliseconds(10);

bool is_passing_lack(error_code const& ec) noexcept {
  return ec == posix::system_error(ETOOMANYREFS) || ec == posix::system_error(ENOBUFS) ||
         ec == posix::system_error(ENOMEM);
}

// What the channel and its pending operations share, so that the channel may be destroyed at any
// moment. An operation carries its handler inside what it waits for, never in here: when the
// io_context ends first, the handler and all that it owns end with it.
class channel_state : public std::enable_shared_from_this<channel_state> {
 public:
  channel_state(asio::any_io_executor const& executor, posix::shared_memory memory, side ours)
      : descriptor_(executor),
        pause_(executor),
        memory_(std::move(memory)),
        mailbox_(memory_.get(), ours) {}

  error_code assign(posix::unique_fd end) {
    error_code ec;
    descriptor_.assign(end.get(), ec);
    if (!ec) end.release();
    return ec;
  }

  bool send_now(outgoing batch);
  void send(outgoing batch, completion_handler completion);
  void receive(completion_handler completion);
  void wait_to_receive(completion_handler completion);
  bool next(received& into);
  mailbox& left() noexcept { return mailbox_; }
  void peer_exited() noexcept;
  void close() noexcept;

 private:
  void send_rest(posix::outbound batch, completion_handler completion);
  bool has_result();
  error_code result() const noexcept;
  bool read_frame();
  void look_for_frame();
  void finish(completion_handler completion, error_code const& ec) {
    post(descriptor_.get_executor(), std::move(completion), ec);
  }

  descriptor descriptor_;
  timer pause_;  // of a send that found a lack of resources
  posix::shared_memory memory_;
  mailbox mailbox_;
  wire::frame_reader reader_;
  std::optional<posix::outbound> begun_;  // a batch of which some is still to be sent
  posix::arrivals sockets_;
  std::optional<wire::frame_view> ready_;  // the next frame, read but not taken yet
  error_code failure_;                     // what comes after all frames
  bool may_be_readable_ = false;  // the last read, if there was one, was as long as it could be
  bool peer_exited_ = false;
  bool closed_ = false;
};

bool channel_state::send_now(outgoing batch) {
  if (closed_) return false;
  begun_.emplace(batch);
  if (begun_->send_to(descriptor_.native_handle())) return false;
  begun_.reset();
  return true;
}

void channel_state::send(outgoing batch, completion_handler completion) {
  auto const rest = begun_ ? *begun_ : posix::outbound(batch);
  begun_.reset();
  send_rest(rest, std::move(completion));
}

void channel_state::send_rest(posix::outbound batch, completion_handler completion) {
  if (closed_) return finish(std::move(completion), asio::error::operation_aborted);
  auto ec = batch.send_to(descriptor_.native_handle());
  // Once the peer has exited, nobody will ever read and make room.
  if (ec == asio::error::would_block && peer_exited_) ec = asio::error::eof;
  bool const full = ec == asio::error::would_block;
  if (!full && !is_passing_lack(ec)) return finish(std::move(completion), ec);
  auto resume = [self = shared_from_this(), batch, completion = std::move(completion)](
                    error_code const&) mutable { self->send_rest(batch, std::move(completion)); };
  if (full) {
    descriptor_.async_wait(descriptor::wait_write, std::move(resume));
  } else {
    pause_.async_wait_for(resource_pause, completion_handler(std::move(resume)));
  }
}

void channel_state::receive(completion_handler completion) {
  if (has_result())
    finish(std::move(completion), result());
  else
    wait_to_receive(std::move(completion));
}

// Completes without another turn of the loop, which would cost a system call for each batch.
void channel_state::wait_to_receive(completion_handler completion) {
  descriptor_.async_wait(descriptor::wait_read,
                         recycling([self = shared_from_this(),
                                    completion = std::move(completion)](error_code const&) mutable {
                           self->may_be_readable_ = true;
                           if (self->has_result())
                             completion(self->result());
                           else
                             self->wait_to_receive(std::move(completion));
                         }));
}

// Reads until there is a frame, or nothing to read.
bool channel_state::has_result() {
  while (!closed_ && !ready_ && !failure_)
    if (!(may_be_readable_ || peer_exited_) || !read_frame()) return false;
  return true;
}

error_code channel_state::result() const noexcept {
  if (closed_) return asio::error::operation_aborted;
  return ready_ ? error_code() : failure_;
}

// One read; false when there is nothing to read now. A frame that is longer than one read makes
// `has_result` come back at once, but no oftener than the bound on a frame's length allows.
bool channel_state::read_frame() {
  error_code ec;
  auto const room = reader_.prepare(read_size);
  auto const count = posix::receive_from(descriptor_.native_handle(), room, sockets_, ec);
  if (ec == asio::error::would_block) {
    may_be_readable_ = false;
    if (!peer_exited_) return false;
    failure_ = asio::error::eof;
  } else if (ec || count == 0) {
    failure_ = ec ? ec : error_code(asio::error::eof);
  } else {
    reader_.commit(count);
    may_be_readable_ = count == room.size();
    look_for_frame();
    if (sockets_.size() > most_unclaimed) failure_ = errc::protocol_error;
  }
  return true;
}

void channel_state::look_for_frame() {
  wire::frame_view frame;
  switch (reader_.next(frame)) {
    case wire::frame_reader::result::need_more: return;
    case wire::frame_reader::result::malformed: failure_ = errc::protocol_error; return;
    case wire::frame_reader::result::frame: break;
  }
  // A descriptor arrives no later than the first byte of its frame.
  auto const together = frame.sockets_together();
  bool const paired = (together == 0 || sockets_.begin_message(together)) &&
                      (!frame.has_socket() || !sockets_.empty());
  if (paired)
    ready_ = frame;
  else
    failure_ = errc::protocol_error;
}

bool channel_state::next(received& into) {
  if (mailbox_.take(into, failure_)) return true;
  if (!ready_) return false;
  into.frame = *ready_;
  into.attached.reset();
  if (ready_->has_socket()) {
    into.attached = sockets_.take();
  }
  ready_.reset();
  look_for_frame();
  return true;
}

void channel_state::peer_exited() noexcept {
  peer_exited_ = true;
  error_code ignored;
  descriptor_.cancel(ignored);  // what waits comes back, and finds the rest or the end
}

void channel_state::close() noexcept {
  closed_ = true;
  error_code ignored;
  descriptor_.close(ignored);
  pause_.cancel();
}

}  // namespace

class channel::impl {
 public:
  impl(asio::any_io_executor const& executor, posix::shared_memory memory, side ours)
      : state(std::make_shared<channel_state>(executor, std::move(memory), ours)) {}
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() { state->close(); }

  std::shared_ptr<channel_state> const state;
};

channel::channel(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
channel::channel(channel&&) noexcept = default;
channel& channel::operator=(channel&&) noexcept = default;
channel::~channel() = default;

bool channel::send_now(outgoing batch) {
  return impl_->state->send_now(batch);
}

void channel::async_send(outgoing batch, completion_handler completion) {
  impl_->state->send(batch, std::move(completion));
}

void channel::async_receive(completion_handler completion) {
  impl_->state->receive(std::move(completion));
}

bool channel::next(received& into) {
  return impl_->state->next(into);
}

bool channel::leave(wire::frame_header const& frame, std::uint32_t epoch) noexcept {
  return impl_->state->left().leave(frame, epoch);
}

std::uint32_t channel::epoch() const noexcept {
  return impl_->state->left().epoch();
}

bool channel::end_epoch() noexcept {
  return impl_->state->left().end_epoch();
}

void channel::peer_exited() noexcept {
  impl_->state->peer_exited();
}

}  // namespace prong::os

prong::os::channel prong::posix::open_channel(asio::any_io_executor executor, unique_fd end,
                                              int memory, os::side ours, error_code& ec) {
  std::unique_ptr<os::channel::impl> made;
  shared_memory mapped(memory, sizeof(os::mailbox::memory), ec);
  if (!ec) {
    made = std::make_unique<os::channel::impl>(executor, std::move(mapped), ours);
    ec = made->state->assign(std::move(end));
  }
  return os::channel(ec ? nullptr : std::move(made));
}

// The channel: frames over a pipe. A frame that carries a socket follows a frame that only this
// backend knows, and that says how to get at the socket.
// SPDX-License-Identifier: BSL-1.0
#include "win32/channel.hpp"

#include "common/os/completing.hpp"
#include "common/os/mailbox.hpp"
#include "win32/pipe.hpp"
#include "win32/shared_memory.hpp"
#include "win32/transfer.hpp"

#include <prong/error.hpp>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/windows/stream_handle.hpp>
#include <optional>

namespace prong::os {
namespace {

using completion_handler = detail::handler<void(error_code)>;

constexpr std::size_t read_size = 64 * 1024;
constexpr std::uint16_t socket_frame = 0xffff;  // the kind of the frames that announce sockets

// What the channel and its pending operations share, so that the channel may be destroyed at any
// moment. An operation carries its handler inside what it waits for, never in here: when the
// io_context ends first, the handler and all that it owns end with it.
class channel_state : public std::enable_shared_from_this<channel_state> {
 public:
  channel_state(asio::any_io_executor const& executor, win32::receiver to,
                win32::shared_memory memory, side ours)
      : pipe_(executor),
        receiver_(std::move(to)),
        memory_(std::move(memory)),
        mailbox_(memory_.get(), ours) {}

  error_code assign(win32::unique_handle end) {
    error_code ec;
    pipe_.assign(end.get(), ec);
    if (!ec) end.release();
    return ec;
  }

  void send(outgoing batch, completion_handler completion);
  void receive(completion_handler completion);
  bool next(received& into);
  mailbox& left() noexcept { return mailbox_; }
  void peer_exited() noexcept;
  void close() noexcept;

 private:
  error_code gather(outgoing batch);
  error_code announce(native_socket socket);
  void append(std::span<std::byte const> bytes) {
    outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
  }
  void on_read(error_code ec, std::size_t count) noexcept;
  void look_for_frame() noexcept;
  void take_socket(wire::frame_view const& announcement) noexcept;
  void drop_rest() noexcept;
  bool has_unread() noexcept;
  error_code end_of(error_code const& ec) const noexcept;
  void finish(completion_handler completion, error_code const& ec) {
    post(pipe_.get_executor(), std::move(completion), ec);
  }

  asio::windows::stream_handle pipe_;
  win32::receiver receiver_;
  win32::shared_memory memory_;
  mailbox mailbox_;
  std::vector<std::byte> outgoing_;  // the system reads from here after the channel's end as well
  wire::frame_reader reader_;
  std::optional<socket> announced_;        // belongs to the next frame
  std::optional<wire::frame_view> ready_;  // the next frame, read but not taken yet
  error_code failure_;                     // what comes after all frames
  bool peer_exited_ = false;
  bool closed_ = false;
};

// --- Sending ------------------------------------------------------------------------------------

void channel_state::send(outgoing batch, completion_handler completion) {
  if (closed_) return finish(std::move(completion), asio::error::operation_aborted);
  // Once the peer has exited, nobody will ever read and make room.
  if (peer_exited_) return finish(std::move(completion), asio::error::eof);
  if (auto const ec = gather(batch)) return finish(std::move(completion), ec);
  // One write: the system completes it when there was room for all of it.
  pipe_.async_write_some(asio::buffer(outgoing_),
                         [self = shared_from_this(), completion = std::move(completion)](
                             error_code const& ec, std::size_t) mutable {
                           self->finish(std::move(completion), self->end_of(ec));
                         });
}

// The bytes to write: the batch, with an announcement before each frame that carries a socket.
error_code channel_state::gather(outgoing batch) {
  outgoing_.clear();
  auto frames = batch.frames;
  for (auto const socket : batch.sockets) {
    for (bool announced = false; !announced;) {
      auto const header = wire::frame_header::decode(frames.first<wire::header_size>());
      announced = (header.flags & wire::carries_socket) != 0;
      if (announced) {
        if (auto const ec = announce(socket)) return ec;
      }
      auto const size = wire::header_size + header.length;
      append(frames.first(size));
      frames = frames.subspan(size);
    }
  }
  append(frames);
  return {};
}

error_code channel_state::announce(native_socket socket) {
  error_code ec;
  auto const info = win32::export_socket(socket, receiver_.id, ec);
  if (ec) {
    bool const gone = receiver_.process && ::WaitForSingleObject(receiver_.process.get(), 0) == 0;
    return gone ? error_code(asio::error::eof) : ec;
  }
  std::array<std::byte, wire::header_size> header;
  wire::frame_header{static_cast<std::uint32_t>(info.size()), socket_frame, 0, 0}.encode(header);
  append(header);
  append(info);
  return {};
}

// --- Receiving ----------------------------------------------------------------------------------

void channel_state::receive(completion_handler completion) {
  if (closed_) {
    drop_rest();
    return finish(std::move(completion), asio::error::operation_aborted);
  }
  if (!ready_ && !failure_ && peer_exited_ && !has_unread()) failure_ = asio::error::eof;
  if (ready_ || failure_) {
    return finish(std::move(completion), ready_ ? error_code() : failure_);
  }
  auto const room = reader_.prepare(read_size);
  pipe_.async_read_some(asio::buffer(room.data(), room.size()),
                        [self = shared_from_this(), completion = std::move(completion)](
                            error_code const& ec, std::size_t count) mutable {
                          self->on_read(ec, count);
                          self->receive(std::move(completion));
                        });
}

void channel_state::on_read(error_code ec, std::size_t count) noexcept {
  reader_.commit(count);
  look_for_frame();
  // `peer_exited` cancels the read: what is left is read, and then comes the end.
  bool const interrupted = ec == asio::error::operation_aborted && !closed_;
  if (ec && !interrupted && !failure_) failure_ = win32::translate_end(ec);
}

void channel_state::look_for_frame() noexcept {
  for (;;) {
    wire::frame_view frame;
    auto const found = reader_.next(frame);
    if (found == wire::frame_reader::result::need_more) return;
    if (found == wire::frame_reader::result::malformed) {
      failure_ = errc::protocol_error;
      return;
    }
    if (frame.header.kind != socket_frame) {
      ready_ = frame;
      break;
    }
    take_socket(frame);
    if (failure_) return;
  }
  if (announced_.has_value() != ready_->has_socket()) {
    ready_.reset();
    failure_ = errc::protocol_error;
  }
}

// Without resources for another handle the frame arrives without its socket (C11).
void channel_state::take_socket(wire::frame_view const& announcement) noexcept {
  if (announcement.payload.size() != win32::socket_info_size || announced_) {
    failure_ = errc::protocol_error;
    return;
  }
  error_code lost;
  announced_ = win32::import_socket(announcement.payload.first<win32::socket_info_size>(), lost);
}

bool channel_state::next(received& into) {
  if (mailbox_.take(into, failure_)) return true;
  if (!ready_) return false;
  into.frame = *ready_;
  into.attached.reset();
  if (ready_->has_socket()) {
    into.attached = std::move(*announced_);
    announced_.reset();
  }
  ready_.reset();
  look_for_frame();
  return true;
}

bool channel_state::has_unread() noexcept {
  DWORD available = 0;
  return ::PeekNamedPipe(pipe_.native_handle(), nullptr, 0, nullptr, &available, nullptr) &&
         available > 0;
}

// --- The end ------------------------------------------------------------------------------------

error_code channel_state::end_of(error_code const& ec) const noexcept {
  if (ec && closed_) return asio::error::operation_aborted;
  bool const interrupted = ec == asio::error::operation_aborted && peer_exited_;
  return interrupted ? error_code(asio::error::eof) : win32::translate_end(ec);
}

void channel_state::peer_exited() noexcept {
  peer_exited_ = true;
  error_code ignored;
  pipe_.cancel(ignored);  // what waits comes back, and finds the rest or the end
}

// The handle of a socket that nobody takes would stay open for as long as this process lives, and
// the client would wait for its end.
void channel_state::drop_rest() noexcept {
  for (received rest; next(rest);) continue;
}

void channel_state::close() noexcept {
  closed_ = true;
  drop_rest();
  error_code ignored;
  // To close alone does not end a pending read in every case: Wine forgets it in a service.
  pipe_.cancel(ignored);
  pipe_.close(ignored);
}

}  // namespace

class channel::impl {
 public:
  impl(asio::any_io_executor const& executor, win32::receiver to, win32::shared_memory memory,
       side ours)
      : state(std::make_shared<channel_state>(executor, std::move(to), std::move(memory), ours)) {}
  impl(impl const&) = delete;
  impl& operator=(impl const&) = delete;
  ~impl() { state->close(); }

  std::shared_ptr<channel_state> const state;
};

channel::channel(std::unique_ptr<impl> made) noexcept : impl_(std::move(made)) {}
channel::channel(channel&&) noexcept = default;
channel& channel::operator=(channel&&) noexcept = default;
channel::~channel() = default;

// A write ends at the completion port, also one that the pipe takes at once.
bool channel::send_now(outgoing) {
  return false;
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

prong::os::channel prong::win32::open_channel(asio::any_io_executor executor, unique_handle end,
                                              receiver to, HANDLE memory, os::side ours,
                                              error_code& ec) {
  std::unique_ptr<os::channel::impl> made;
  shared_memory mapped(memory, sizeof(os::mailbox::memory), ec);
  if (!ec) {
    made = std::make_unique<os::channel::impl>(executor, std::move(to), std::move(mapped), ours);
    ec = made->state->assign(std::move(end));
  }
  return os::channel(ec ? nullptr : std::move(made));
}

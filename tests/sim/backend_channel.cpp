// Channels of the simulated operating system: two streams of encoded frames, moved in pieces of
// any size, with the sockets riding on the first byte of their frames.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/mailbox.hpp"
#include "sim/backend.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <utility>

namespace prong::sim {

using wire::frame_header;

channel_end::channel_end(asio::any_io_executor executor, std::shared_ptr<line> on, int side)
    : line_(std::move(on)),
      side_(side),
      owner_(&system::current().running()),
      executor_(std::move(executor)) {
  system::current().ends.push_back(this);
}

channel_end::~channel_end() {
  auto& at = system::current();
  std::erase(at.ends, this);
  line_->open[static_cast<std::size_t>(side_)] = false;
  // Sockets on their way to nobody are closed by the operating system.
  if (!line_->is_open(side_)) {
    auto& unread = line_->written_by(1 - side_);
    for (auto const& each : unread.riders) at.drop(each.socket);
    unread.riders.clear();
    unread.bytes.clear();
  }
  if (side_ == 0) at.observes.on_link_end(line_->worker);
}

// --- Sending ------------------------------------------------------------------------------------

// On Windows a pipe tells later that it has it all.
bool channel_end::send_now(os::outgoing batch) {
  if (system::current().takes_ahead || !line_->is_open(1 - side_)) return false;
  begin(batch);
  write_what_fits();
  begun_ = sent_ < batch.frames.size();
  return !begun_;
}

void channel_end::send(os::outgoing batch, detail::handler<void(error_code)> completion) {
  if (!std::exchange(begun_, false)) begin(batch);
  sends_.start(executor_, std::move(completion));
}

void channel_end::begin(os::outgoing batch) {
  batch_ = batch;
  sent_ = sockets_sent_ = 0;
  pieces_.clear();
  for (std::size_t at = 0; at < batch_.frames.size();) {
    auto const rest = batch_.frames.subspan(at);
    auto const header = frame_header::decode(rest.first<wire::header_size>());
    auto const size = wire::header_size + header.length;
    pieces_.push_back({at, at + size, (header.flags & wire::carries_socket) != 0});
    at += size;
  }
}

bool channel_end::can_write() const {
  return sends_.waits() && (!line_->is_open(1 - side_) ||
                            line_->written_by(side_).bytes.size() < system::current().stream_room);
}

void channel_end::write() {
  if (!line_->is_open(1 - side_)) {
    sends_.complete(asio::error::eof);
    return;
  }
  write_what_fits();
  if (sent_ == batch_.frames.size()) sends_.complete({});
}

void channel_end::write_what_fits() {
  auto& at = system::current();
  auto const full = line_->written_by(side_).bytes.size();
  auto const room = at.stream_room - std::min(at.stream_room, full);
  auto const count = std::min(room, batch_.frames.size() - sent_);
  if (count > 0) write_some(at.chooses.part(count, at.faults.cut));
}

void channel_end::write_some(std::size_t count) {
  auto& at = system::current();
  auto& into = line_->written_by(side_);
  auto const until = sent_ + count;
  at.note("writes: to worker, bytes", line_->worker, count);
  auto const some = batch_.frames.subspan(sent_, count);
  while (!pieces_.empty() && pieces_.front().begin < until) {
    auto& first = pieces_.front();
    bool const begins = first.begin >= sent_;
    if (first.has_socket && begins) {
      system::running_guard const as(*owner_);
      auto const socket = at.object_of(batch_.sockets[sockets_sent_++]);
      if (socket == no_object) return;
      at.hold(socket);
      into.riders.push_back({into.written + (first.begin - sent_), socket});
      riding_ = socket;
    }
    if (first.end > until) break;
    auto const whole = batch_.frames.subspan(first.begin, first.end - first.begin);
    wire::frame_view const frame{frame_header::decode(whole.first<wire::header_size>()),
                                 whole.subspan(wire::header_size)};
    at.observes.on_sent(line_->worker, side_, frame, first.has_socket ? riding_ : no_object);
    pieces_.pop_front();
  }
  into.bytes.insert(into.bytes.end(), some.begin(), some.end());
  into.written += count;
  sent_ = until;
}

bool channel_end::inject(std::vector<std::byte> const& bytes) {
  auto& into = line_->written_by(side_);
  if (sends_.waits() || !line_->is_open(1 - side_)) return false;
  into.bytes.insert(into.bytes.end(), bytes.begin(), bytes.end());
  into.written += bytes.size();
  return true;
}

// --- Receiving ----------------------------------------------------------------------------------

void channel_end::receive(detail::handler<void(error_code)> completion) {
  receives_.start(executor_, std::move(completion));
}

bool channel_end::at_end() const {
  return line_->written_by(1 - side_).bytes.empty() && (bounded_ || !line_->is_open(1 - side_));
}

bool channel_end::can_read() const {
  return receives_.waits() &&
         (malformed_ || at_end() || !line_->written_by(1 - side_).bytes.empty());
}

void channel_end::read() {
  auto& at = system::current();
  auto& from = line_->written_by(1 - side_);
  if (malformed_ || from.bytes.empty()) {
    if (side_ == 0) at.observes.on_link_end(line_->worker);
    at.note("reads the end: worker", line_->worker, malformed_ ? 1 : 0);
    receives_.complete(malformed_ ? error_code(errc::protocol_error)
                                  : error_code(asio::error::eof));
    return;
  }
  auto const count = at.chooses.part(from.bytes.size(), at.faults.cut);
  at.note("reads: from worker, bytes", line_->worker, count);
  auto const room = reader_.prepare(count);
  std::copy_n(from.bytes.begin(), count, room.begin());
  reader_.commit(count);
  from.bytes.erase(from.bytes.begin(), from.bytes.begin() + static_cast<std::ptrdiff_t>(count));
  from.read += count;
  system::running_guard const as(*owner_);
  for (; !from.riders.empty() && from.riders.front().at < from.read; from.riders.pop_front()) {
    // C11: for want of a descriptor the socket is lost, and the frame is not.
    bool const lost = at.call_fails("a socket is lost", at.faults.lost_socket);
    attached_.push_back(lost ? os::socket() : at.open(from.riders.front().socket));
    at.drop(from.riders.front().socket);
  }
  wire::frame_view frame;
  for (;;) {
    auto const result = reader_.next(frame);
    malformed_ = result == wire::frame_reader::result::malformed;
    if (result != wire::frame_reader::result::frame) break;
    frames_.push_back(frame);
  }
  if (!frames_.empty()) receives_.complete({});
}

bool channel_end::leave(wire::frame_header const& frame, std::uint32_t epoch) {
  if (epoch != line_->epoch || line_->left.size() == os::mailbox::capacity) return false;
  line_->left.push_back(frame);
  system::current().observes.on_sent(line_->worker, side_, {frame, {}}, no_object);
  return true;
}

bool channel_end::end_epoch() {
  if (!line_->left.empty()) return false;
  ++line_->epoch;
  system::current().note("recalls: worker, epoch", line_->worker, line_->epoch);
  system::current().observes.on_recalled(line_->worker);
  return true;
}

bool channel_end::take_left(os::received& into) {
  if (side_ != 0 || line_->left.empty()) return false;
  into.frame = {line_->left.front(), {}};
  into.attached.reset();
  line_->left.pop_front();
  system::current().observes.on_read(line_->worker, side_, into.frame);
  return true;
}

bool channel_end::next(os::received& into) {
  if (take_left(into)) return true;
  if (frames_.empty()) return false;
  into.frame = frames_.front();
  into.attached.reset();
  frames_.pop_front();
  if (into.frame.has_socket()) {
    if (attached_.empty()) {
      // Only a worker that lies about a socket gets here.
    } else {
      into.attached = std::move(attached_.front());
      attached_.pop_front();
    }
  }
  system::current().observes.on_read(line_->worker, side_, into.frame);
  return true;
}

}  // namespace prong::sim

namespace prong::os {

class channel::impl : public sim::channel_end {
 public:
  using sim::channel_end::channel_end;
};

channel::channel(std::unique_ptr<impl> from) noexcept : impl_(std::move(from)) {}
channel::channel(channel&&) noexcept = default;
channel& channel::operator=(channel&&) noexcept = default;
channel::~channel() = default;

// Programs in the world are given their channel; nothing there reads the environment.
channel channel::inherited(asio::any_io_executor, error_code& ec) {
  ec = errc::not_a_worker;
  return channel(nullptr);
}

bool channel::send_now(outgoing batch) {
  return impl_->send_now(batch);
}

void channel::async_send(outgoing batch, detail::handler<void(error_code)> completion) {
  impl_->send(batch, std::move(completion));
}

void channel::async_receive(detail::handler<void(error_code)> completion) {
  impl_->receive(std::move(completion));
}

bool channel::next(received& into) {
  return impl_->next(into);
}

bool channel::leave(wire::frame_header const& frame, std::uint32_t epoch) noexcept {
  return impl_->leave(frame, epoch);
}

std::uint32_t channel::epoch() const noexcept {
  return impl_->epoch();
}

bool channel::end_epoch() noexcept {
  return impl_->end_epoch();
}

void channel::peer_exited() noexcept {
  impl_->peer_exited();
}

}  // namespace prong::os

namespace prong::sim {

os::channel open_channel(asio::any_io_executor executor, std::shared_ptr<line> on, int side) {
  return os::channel(std::make_unique<os::channel::impl>(std::move(executor), std::move(on), side));
}

}  // namespace prong::sim

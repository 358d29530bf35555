// Reads one of a worker's streams, line by line.
// SPDX-License-Identifier: BSL-1.0
#include "common/output_reader.hpp"

#include <utility>

namespace prong {

output_reader::output_reader(os::output stream) : stream_(std::move(stream)) {}

void output_reader::start(callbacks owner) {
  owner_ = std::move(owner);
  read();
}

void output_reader::line_taken() {
  lines_.taken();
  go_on();
}

void output_reader::writer_exited() {
  exited_ = true;
  if (stream_) stream_->writer_exited();
  go_on();
}

void output_reader::read() {
  reading_ = true;
  stream_->async_read_some(buffer_,
                           detail::handler<void(error_code, std::size_t)>(
                               [self = shared_from_this()](error_code ec, std::size_t count) {
                                 self->on_read(ec, count);
                               }));
}

void output_reader::on_read(error_code ec, std::size_t count) {
  reading_ = false;
  if (ec)
    lines_.end();
  else
    lines_.add({reinterpret_cast<char const*>(buffer_.data()), count});
  go_on();
  if (!ec || !stream_) return;
  stream_.reset();
  owner_.on_end();
}

// Gives what may be given, and reads on when more is wanted. Of who has exited all is read: it is
// no more than the system held for it.
void output_reader::go_on() {
  while (stream_) {
    auto line = lines_.next();
    if (!line) break;
    owner_.on_line(std::move(*line));
  }
  if (stream_ && !reading_ && !lines_.has_ended() && (exited_ || lines_.has_room())) read();
}

}  // namespace prong

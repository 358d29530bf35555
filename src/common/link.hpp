// One side's use of a channel: frames go out in batches and come in decoded, and messages wait
// for credits, so that a slow reader of messages cannot hold up the frames behind them.
//
// The owner hears of frames until the link ends, once; never after `cut`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"
#include "common/waiting_list.hpp"
#include "common/wire/control.hpp"

#include <prong/message.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace prong {

class link : public std::enable_shared_from_this<link> {
 public:
  struct callbacks {
    /// A frame that is neither message nor credit for messages, with the socket it carried.
    std::function<void(wire::control const&, os::socket)> on_frame;
    std::function<void(message&&)> on_message;
    /// All frames of one batch have been given, or the link was cut meanwhile.
    std::function<void()> on_batch;
    /// `eof`, also after `finish`; `errc::protocol_error` after what cannot be a frame; or why the
    /// system cannot send or receive any more.
    std::function<void(error_code)> on_end;
  };

  /// `gone`: what messages complete with when the other side is lost.
  link(asio::any_io_executor executor, os::channel channel, error_code gone);
  void start(callbacks owner);

  /// Frames go out with the next `flush`.
  void send(wire::control const& what);
  /// With a socket that the caller keeps open until the frame is answered.
  void send(wire::control const& what, os::native_socket borrowed);
  /// With a socket that is closed once the frame is out.
  void send(wire::control const& what, os::socket owned);
  void flush();
  /// Says at once, and for good, that a connection is ours, which was offered in this epoch; the
  /// other side hears of it with the next frame that is sent, or at the end. False if it has been
  /// recalled, or if the other side offered more than it may.
  bool leave(wire::took const& what, std::uint32_t epoch) noexcept;
  /// In which offers are made; those of earlier epochs were recalled.
  std::uint32_t epoch() const noexcept { return channel_ ? channel_->epoch() : 0; }
  /// Hears what the other side has taken, and recalls all else that it was offered, by beginning
  /// another epoch. False if that cannot be done now.
  bool recall();

  /// Completes when the operating system has the message. Its socket is closed then, and when it
  /// cannot be sent.
  void async_send(message what, detail::handler<void(error_code)> completion);
  /// The program takes this message, which came from here. True if its sender is to hear that it
  /// may send more, with the next `flush`.
  bool message_taken(message const& what);
  /// Sends that wait, and later ones, complete with `why`.
  void end_messages(error_code why);

  /// The process at the other end has exited.
  void peer_exited();
  /// Closes the channel when all frames are out; nothing comes in any more.
  void finish();
  /// Closes the channel now.
  void cut();
  bool is_open() const noexcept { return channel_.has_value(); }

 private:
  using operations = waiting_list<void(error_code)>;

  struct batch {
    std::vector<std::byte> frames;
    std::vector<os::native_socket> sockets;
    std::vector<os::socket> owned;
    std::vector<operations::operation> messages;

    bool empty() const noexcept { return frames.empty(); }
    void complete(error_code ec);
    void clear();
  };
  struct waiting_message {
    std::uint64_t number;
    message what;
  };

  void receive();
  void on_received(error_code ec);
  bool dispatch_all();
  bool dispatch(os::received& one);
  void on_sent(error_code ec);
  void end(error_code why);
  bool has_credit_for(message const& what) const;
  void queue_message(message what, operations::operation done);
  void queue_waiting(std::size_t up_to);  // bytes in the batch
  void on_message_credit(std::uint32_t count);
  bool on_message(wire::message const& what, os::socket attached);

  asio::any_io_executor executor_;
  std::optional<os::channel> channel_;
  error_code gone_;
  callbacks owner_;

  batch queued_;
  batch sending_;
  std::vector<operations::operation> called_;  // none, but room for the next ones
  bool is_sending_ = false;
  bool finishing_ = false;
  bool broken_ = false;  // sending failed: only what still comes in matters

  operations waiting_;                    // for credits, or while a batch is large
  std::deque<waiting_message> messages_;  // what each of them is to send
  std::uint64_t last_message_ = 0;
  error_code messages_ended_;
  std::uint32_t credits_;         // what messages may cost that we send
  std::uint32_t unreturned_ = 0;  // what those cost that were taken and are not yet credited
  std::uint32_t untaken_ = 0;     // what those cost that we have and the program has not
};

}  // namespace prong

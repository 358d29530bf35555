// What primary and workers can say to each other in their own words.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/socket_handle.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace prong {

/// A message: a short topic to tell messages apart by, a body of any bytes, and a socket if there
/// is to be one. Messages from one side to one other arrive whole, once, and in the order they
/// were sent, each with its own socket.
///
/// Who sends a message gives its socket away: it is closed here when the message is out, and also
/// when sending fails or is cancelled. The receiver's socket is the same socket of the system, so
/// an option that is set at one end holds at the other. To keep a socket and send it, send a copy
/// that the system made of it (`dup`, `WSADuplicateSocket`).
struct message {
  message() = default;
  // Constructors rather than an aggregate: GCC 12 copies the bytes of an aggregate that is
  // written in braces inside a co_await expression, which breaks the strings in it.
  message(std::string its_topic, std::string its_body, socket_handle its_socket = {})
      : topic(std::move(its_topic)), body(std::move(its_body)), socket(std::move(its_socket)) {}

  std::string topic;     ///< at most `max_topic_size` bytes
  std::string body;      ///< at most `max_body_size` bytes
  socket_handle socket;  ///< an open socket, or none
  /// Of a message that was received: it was sent with a socket, and this process had no free
  /// descriptor for it. Means nothing in a message that is sent.
  bool socket_lost = false;

  static constexpr std::size_t max_topic_size = 65'535;
  static constexpr std::size_t max_body_size = 1'048'576;

  /// Whether they say the same; sockets are not compared.
  friend bool operator==(message const& one, message const& other) {
    return one.topic == other.topic && one.body == other.body;
  }
};

}  // namespace prong

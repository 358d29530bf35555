// What primary and workers can say to each other in their own words.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace prong {

/// A message: a short topic to tell messages apart by, and a body of any bytes.
/// Messages from one side to one other arrive whole, once, and in the order they were sent.
struct message {
  message() = default;
  // Constructors rather than an aggregate: GCC 12 copies the bytes of an aggregate that is
  // written in braces inside a co_await expression, which breaks the strings in it.
  message(std::string its_topic, std::string its_body)
      : topic(std::move(its_topic)), body(std::move(its_body)) {}

  std::string topic;  ///< at most `max_topic_size` bytes
  std::string body;   ///< at most `max_body_size` bytes

  static constexpr std::size_t max_topic_size = 65'535;
  static constexpr std::size_t max_body_size = 1'048'576;

  friend bool operator==(message const&, message const&) = default;
};

}  // namespace prong

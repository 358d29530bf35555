// One struct a frame kind: what primary and worker say to each other.
//
// Either side may be the newer program, because a reload picks up a new binary. Fields are only
// ever appended; a reader skips trailing bytes that it does not know and refuses payloads that end
// too early. docs/protocol.md says who sends what, and what follows.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/wire/frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace prong::wire {

inline constexpr std::uint16_t oldest_protocol = 1;
inline constexpr std::uint16_t newest_protocol = 1;

enum class transport : std::uint8_t { tcp = 0, udp = 1, local = 2 };

struct address {
  transport kind = transport::tcp;
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // the first 4 for IPv4
  std::uint32_t scope = 0;
  std::uint16_t port = 0;
  std::string path{};  // of a local socket
  friend bool operator==(address const&, address const&) = default;
};

/// An error code that crosses processes: the system's own number, or one of prong's.
struct error {
  enum class category : std::uint8_t { system = 0, prong = 1 };
  category from = category::system;
  std::int32_t value = 0;
  friend bool operator==(error const&, error const&) = default;
};

// The worker's first frame.
struct hello {
  std::uint16_t oldest = oldest_protocol;
  std::uint16_t newest = newest_protocol;
  std::uint32_t worker = 0;
  std::uint32_t process = 0;
  friend bool operator==(hello const&, hello const&) = default;
};
// The primary's answer: the version that both speak, and how many connections the worker may ask
// for before it takes the first.
struct welcome {
  std::uint16_t version = newest_protocol;
  std::uint16_t window = 1;
  friend bool operator==(welcome const&, welcome const&) = default;
};
// A worker's acceptor wants to listen: on an endpoint, or on a socket that the primary has by a
// number or a name. `index` tells apart the listeners of one worker on what may be had more than
// once: port 0, and addresses that may be reused.
struct listen {
  std::uint64_t acceptor = 0;
  address endpoint;
  std::uint32_t index = 0;
  std::int32_t backlog = 0;
  bool v6_only = false;
  bool any_address = false;
  bool reuse_address = false;
  std::int32_t mode = -1;  // of a local socket's file; none given: negative
  bool from_primary = false;
  std::uint64_t number = 0;
  std::string name{};
  friend bool operator==(listen const&, listen const&) = default;
};
// It does. Carries the listening socket where the worker accepts by itself.
struct listening {
  std::uint64_t acceptor = 0;
  address endpoint;
  bool shared = false;
  bool reports = false;     // the primary wants to know how many connections are open
  std::uint32_t queue = 0;  // the same for all workers that share the socket; 0: none does
  friend bool operator==(listening const&, listening const&) = default;
};
struct listen_failed {
  std::uint64_t acceptor = 0;
  error why;
  friend bool operator==(listen_failed const&, listen_failed const&) = default;
};
struct unlisten {
  std::uint64_t acceptor = 0;
  friend bool operator==(unlisten const&, unlisten const&) = default;
};
// A worker's acceptor listens on a socket that is the worker's alone, or could not.
struct listens_alone {
  std::uint64_t acceptor = 0;
  address endpoint;
  error why;  // number 0: it listens
  friend bool operator==(listens_alone const&, listens_alone const&) = default;
};
// A connection for one of the worker's acceptors; always carries its socket. It holds until the
// primary recalls what it has offered in this epoch.
struct offer {
  std::uint64_t connection = 0;
  std::uint64_t acceptor = 0;
  std::uint32_t epoch = 0;
  bool more_wait = false;  // other connections, behind this one
  friend bool operator==(offer const&, offer const&) = default;
};
// The connection is the worker's from here on.
struct took {
  std::uint64_t connection = 0;
  friend bool operator==(took const&, took const&) = default;
};
// The connection stays the primary's. `epoch`: of the offer.
struct refused {
  std::uint64_t connection = 0;
  std::uint32_t epoch = 0;
  friend bool operator==(refused const&, refused const&) = default;
};
// The acceptor can take `count` more connections, and has `open` of them, where the primary wants
// to know that.
struct credit {
  std::uint64_t acceptor = 0;
  std::uint32_t count = 1;
  std::uint32_t open = 0;
  friend bool operator==(credit const&, credit const&) = default;
};
// A user's message; views into the frame, or into the sender's strings. May carry a socket.
struct message {
  std::string_view topic;
  std::string_view body;
  bool with_socket = false;
  friend bool operator==(message const&, message const&) = default;
};
// The receiver's program has taken messages that cost `count` together.
struct message_credit {
  std::uint32_t count = 1;
  friend bool operator==(message_credit const&, message_credit const&) = default;
};
// The worker is to drain: no new connections, end when the last one ends.
struct stop {
  friend bool operator==(stop const&, stop const&) = default;
};
// The worker drains; it sends nothing after this.
struct stopping {
  friend bool operator==(stopping const&, stopping const&) = default;
};

using control =
    std::variant<hello, welcome, listen, listening, listen_failed, unlisten, offer, took, refused,
                 credit, message, message_credit, stop, stopping, listens_alone>;

/// How many connections one acceptor may have asked for and not got.
inline constexpr std::uint32_t max_credits = 1024;

/// What messages may cost together that are on their way and not taken by the receiver's program.
inline constexpr std::uint32_t message_window = 256;
/// Many small messages may be on their way, and large ones fill no more memory than 4 MiB. One with
/// a socket counts for four: few programs may have hundreds of descriptors more.
std::uint32_t cost_of(message const& what) noexcept;

/// The bounds of a message.
inline constexpr std::size_t max_message_body = 1u << 20;
inline constexpr std::size_t max_message_topic = (1u << 16) - 1;

/// The bound of a local socket's path, and of a socket's name.
inline constexpr std::size_t max_name = 4096;

/// Nothing where this version does not know the kind, where the payload ends too early or holds a
/// value that cannot be, and where the frame's socket does not fit: an offer carries one, a
/// listening exactly if `shared`, a message may, all others none. A message's views point into the
/// frame.
std::optional<control> decode(frame_view const& frame) noexcept;

/// Appends the frame to `out`; allocates nothing but what `out` needs to grow, and leaves `out` as
/// it was if that fails. A message must keep the bounds above.
void encode(control const& what, std::vector<std::byte>& out);

/// The kind's name, for logs and traces; "unknown" for a number that no kind has.
std::string_view name(frame_kind kind) noexcept;
frame_kind kind_of(control const& what) noexcept;

}  // namespace prong::wire

// The payloads of the frames. Each kind's fields are listed once, in the order in which they
// travel; measuring, writing and reading all walk that list, so they cannot disagree.
// SPDX-License-Identifier: BSL-1.0
#include "common/wire/control.hpp"

#include "common/wire/little_endian.hpp"

#include <algorithm>
#include <cassert>
#include <concepts>
#include <limits>
#include <string>
#include <type_traits>

namespace prong::wire {
namespace {

// How many bytes the payload will have, so that the output grows once.
class measure {
 public:
  static void id(std::uint64_t) noexcept {}
  static void socket(bool) noexcept {}
  template <std::integral Integer>
  void number(Integer) noexcept {
    size_ += sizeof(Integer);
  }
  void truth(bool) noexcept { ++size_; }
  void bytes(std::span<std::uint8_t const> value) noexcept { size_ += value.size(); }
  template <std::unsigned_integral Length>
  void text(std::string_view value, std::size_t longest) noexcept {
    assert(value.size() <= longest);
    static_cast<void>(longest);
    size_ += sizeof(Length) + value.size();
  }

  static bool goes_on() noexcept { return true; }
  static void refuse() noexcept {}

  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
};

class writer {
 public:
  explicit writer(std::byte* to) noexcept : to_(to) {}

  void id(std::uint64_t value) noexcept { id_ = value; }
  static void socket(bool) noexcept {}
  template <std::integral Integer>
  void number(Integer value) noexcept {
    store_little(static_cast<std::make_unsigned_t<Integer>>(value), to_);
    to_ += sizeof(Integer);
  }
  void truth(bool value) noexcept { number<std::uint8_t>(value ? 1 : 0); }
  void bytes(std::span<std::uint8_t const> value) noexcept {
    to_ = std::ranges::copy(std::as_bytes(value), to_).out;
  }
  template <std::unsigned_integral Length>
  void text(std::string_view value, std::size_t) noexcept {
    number(static_cast<Length>(value.size()));
    to_ = std::ranges::copy(std::as_bytes(std::span(value)), to_).out;
  }

  static bool goes_on() noexcept { return true; }
  static void refuse() noexcept {}

  std::uint64_t header_id() const noexcept { return id_; }

 private:
  std::byte* to_;
  std::uint64_t id_ = 0;
};

// After the first field that is missing or cannot be, it reads nothing more.
class reader {
 public:
  explicit reader(frame_view const& frame) noexcept
      : rest_(frame.payload), id_(frame.header.id), has_socket_(frame.has_socket()) {}

  void id(std::uint64_t& value) const noexcept { value = id_; }
  void socket(bool& value) const noexcept { value = has_socket_; }
  template <std::integral Integer>
  void number(Integer& value) noexcept {
    auto const from = take(sizeof(Integer));
    if (good_)
      value = static_cast<Integer>(load_little<std::make_unsigned_t<Integer>>(from.data()));
  }
  void truth(bool& value) noexcept {
    std::uint8_t byte = 0;
    number(byte);
    if (byte > 1) good_ = false;
    value = byte == 1;
  }
  void bytes(std::span<std::uint8_t> value) noexcept {
    std::ranges::copy(take(value.size()), std::as_writable_bytes(value).begin());
  }
  template <std::unsigned_integral Length>
  void text(std::string_view& value, std::size_t longest) noexcept {
    Length length = 0;
    number(length);
    if (length > longest) good_ = false;
    auto const from = take(length);
    value = {reinterpret_cast<char const*>(from.data()), from.size()};
  }
  template <std::unsigned_integral Length>
  void text(std::string& value, std::size_t longest) noexcept {
    std::string_view view;
    text<Length>(view, longest);
    value = view;
  }

  /// False where the sender's program did not know the fields from here on.
  bool goes_on() const noexcept { return !rest_.empty(); }
  void refuse() noexcept { good_ = false; }
  bool good() const noexcept { return good_; }

 private:
  std::span<std::byte const> take(std::size_t size) noexcept {
    if (size > rest_.size()) good_ = false;
    if (!good_) return {};
    auto const taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::span<std::byte const> rest_;
  std::uint64_t id_;
  bool has_socket_;
  bool good_ = true;
};

// The lists. `Value` is const where the walk measures or writes.
template <typename Value, typename Kind>
concept is = std::same_as<std::remove_const_t<Value>, Kind>;

template <is<address> Value>
void fields(auto& walk, Value& value) noexcept {
  auto kind = static_cast<std::uint8_t>(value.kind);
  walk.number(kind);
  if (kind > static_cast<std::uint8_t>(transport::local)) walk.refuse();
  if constexpr (!std::is_const_v<Value>) value.kind = transport{kind};
  walk.truth(value.v6);
  walk.bytes(value.bytes);
  walk.number(value.scope);
  walk.number(value.port);
  walk.template text<std::uint16_t>(value.path, max_name);
}

template <is<error> Value>
void fields(auto& walk, Value& value) noexcept {
  bool from_prong = value.from == error::category::prong;
  walk.truth(from_prong);
  walk.number(value.value);
  if constexpr (!std::is_const_v<Value>) {
    value.from = from_prong ? error::category::prong : error::category::system;
  }
}

template <is<hello> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.number(value.oldest);
  walk.number(value.newest);
  walk.number(value.worker);
  walk.number(value.process);
}

template <is<welcome> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.number(value.version);
  walk.number(value.window);
}

template <is<listen> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.acceptor);
  fields(walk, value.endpoint);
  walk.number(value.index);
  walk.number(value.backlog);
  walk.truth(value.v6_only);
  walk.truth(value.any_address);
  walk.truth(value.reuse_address);
  walk.number(value.mode);
  walk.truth(value.from_primary);
  walk.number(value.number);
  walk.template text<std::uint16_t>(value.name, max_name);
}

template <is<listening> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.acceptor);
  fields(walk, value.endpoint);
  walk.truth(value.shared);
  if (walk.goes_on()) walk.truth(value.reports);
  if (walk.goes_on()) walk.number(value.queue);
}

template <is<listen_failed> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.acceptor);
  fields(walk, value.why);
}

template <is<unlisten> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.acceptor);
}

template <is<listens_alone> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.acceptor);
  fields(walk, value.endpoint);
  fields(walk, value.why);
}

template <is<offer> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.connection);
  walk.number(value.acceptor);
  walk.number(value.epoch);
  walk.truth(value.more_wait);
}

template <is<took> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.connection);
}

template <is<refused> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.connection);
  walk.number(value.epoch);
}

template <is<credit> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.id(value.acceptor);
  walk.number(value.count);
  if (walk.goes_on()) walk.number(value.open);
}

template <is<message> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.template text<std::uint16_t>(value.topic, max_message_topic);
  walk.template text<std::uint32_t>(value.body, max_message_body);
  walk.socket(value.with_socket);
}

template <is<message_credit> Value>
void fields(auto& walk, Value& value) noexcept {
  walk.number(value.count);
}

template <is<stop> Value>
void fields(auto&, Value&) noexcept {}

template <is<stopping> Value>
void fields(auto&, Value&) noexcept {}

static_assert(max_message_topic <= std::numeric_limits<std::uint16_t>::max());
static_assert(sizeof(std::uint16_t) + max_message_topic + sizeof(std::uint32_t) +
                  max_message_body <=
              max_payload);

template <typename Kind>
bool needs_socket(Kind const& value) noexcept {
  if constexpr (std::same_as<Kind, listening>) return value.shared;
  if constexpr (std::same_as<Kind, message>) return value.with_socket;
  return std::same_as<Kind, offer>;
}

template <typename Kind>
std::optional<control> decode_as(frame_view const& frame) noexcept {
  Kind value;
  reader walk(frame);
  fields(walk, value);
  if (!walk.good() || frame.has_socket() != needs_socket(value)) return std::nullopt;
  return value;
}

template <typename Kind>
void encode_as(frame_kind kind, Kind const& value, std::vector<std::byte>& out) {
  measure length;
  fields(length, value);
  std::size_t const at = out.size();
  out.resize(at + header_size + length.size());
  writer payload(out.data() + at + header_size);
  fields(payload, value);
  frame_header header;
  header.length = static_cast<std::uint32_t>(length.size());
  header.kind = static_cast<std::uint16_t>(kind);
  header.flags = needs_socket(value) ? carries_socket : std::uint16_t{0};
  header.id = payload.header_id();
  header.encode(std::span<std::byte, header_size>(out.data() + at, header_size));
}

// The one table of kinds, in the order of their numbers and of the variant's alternatives.
struct row {
  frame_kind kind;
  std::string_view name;
  std::size_t alternative;
  std::optional<control> (*decode)(frame_view const&) noexcept;
};

template <typename Kind, typename... Kinds>
constexpr std::size_t alternative_of(std::type_identity<std::variant<Kinds...>>) noexcept {
  std::size_t before = 0;
  static_cast<void>(((std::same_as<Kind, Kinds> || (++before, false)) || ...));
  return before;
}

template <typename Kind>
constexpr row describe(frame_kind kind, std::string_view name) noexcept {
  return {kind, name, alternative_of<Kind>(std::type_identity<control>()), &decode_as<Kind>};
}

constexpr std::array<row, std::variant_size_v<control>> rows{{
    describe<hello>(frame_kind::hello, "hello"),
    describe<welcome>(frame_kind::welcome, "welcome"),
    describe<listen>(frame_kind::listen, "listen"),
    describe<listening>(frame_kind::listening, "listening"),
    describe<listen_failed>(frame_kind::listen_failed, "listen_failed"),
    describe<unlisten>(frame_kind::unlisten, "unlisten"),
    describe<offer>(frame_kind::offer, "offer"),
    describe<took>(frame_kind::took, "took"),
    describe<refused>(frame_kind::refused, "refused"),
    describe<credit>(frame_kind::credit, "credit"),
    describe<message>(frame_kind::message, "message"),
    describe<message_credit>(frame_kind::message_credit, "message_credit"),
    describe<stop>(frame_kind::stop, "stop"),
    describe<stopping>(frame_kind::stopping, "stopping"),
    describe<listens_alone>(frame_kind::listens_alone, "listens_alone"),
}};

constexpr bool in_order() noexcept {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].alternative != i || static_cast<std::size_t>(rows[i].kind) != i + 1) return false;
  }
  return true;
}
static_assert(in_order(), "frame_kind, the variant and the table differ");

// Null for a kind that this version does not know.
row const* find(frame_kind kind) noexcept {
  auto const number = static_cast<std::size_t>(kind);
  return number >= 1 && number <= rows.size() ? &rows[number - 1] : nullptr;
}

}  // namespace

std::optional<control> decode(frame_view const& frame) noexcept {
  row const* const known = find(frame.kind());
  return known ? known->decode(frame) : std::nullopt;
}

void encode(control const& what, std::vector<std::byte>& out) {
  std::visit([&](auto const& value) { encode_as(kind_of(what), value, out); }, what);
}

std::string_view name(frame_kind kind) noexcept {
  row const* const known = find(kind);
  return known ? known->name : "unknown";
}

frame_kind kind_of(control const& what) noexcept {
  return rows[what.index()].kind;
}

std::uint32_t cost_of(message const& what) noexcept {
  constexpr std::size_t step = 16 * 1024;
  static_assert(4 + (max_message_topic + max_message_body) / step <= message_window / 2 + 1,
                "the largest message must not wait for credits that come back in lots of a half");
  auto const size = what.topic.size() + what.body.size();
  return static_cast<std::uint32_t>((what.with_socket ? 4 : 1) + size / step);
}

}  // namespace prong::wire

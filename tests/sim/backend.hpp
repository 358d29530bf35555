// The simulated operating system below the seam: processes, sockets, ports, channels and time, all
// inside one test. backend*.cpp implement the seam's headers on it; the world decides what happens
// next. There is one at a time, and `system::current` is how the seam's functions find it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/clock.hpp"
#include "common/os/process.hpp"
#include "common/wire/frame.hpp"
#include "sim/choices.hpp"
#include "sim/pending.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace prong::sim {

using os::native_socket;
using time_point = os::clock::time_point;

/// What handles refer to, in any number of processes: a connection, or a listening socket.
using object_id = std::uint32_t;
inline constexpr object_id no_object = 0;

struct object {
  bool listens = false;
  bool divides = false;  // what comes to its port, with others that do
  std::uint16_t port = 0;
  unsigned references = 0;          // handles, places in a backlog, places in a stream
  std::deque<object_id> backlog{};  // of a listening socket
  std::string written{};            // by the client of a connection
  std::size_t arrived = 0;          // of it
};

/// One direction of a channel: bytes, with sockets that ride on the byte they were sent with.
struct stream {
  struct rider {
    std::uint64_t at;
    object_id socket;
  };
  std::deque<std::byte> bytes{};
  std::deque<rider> riders{};
  std::uint64_t written = 0;
  std::uint64_t read = 0;
};

/// A channel between the primary, which has side 0, and a worker, which has side 1. Side n writes
/// stream n.
struct line {
  explicit line(process_id who) : worker(who) {}
  process_id worker;
  std::array<stream, 2> streams{};
  std::deque<wire::frame_header> left{};  // by the worker, for its primary
  std::uint32_t epoch = 0;                // in which it may leave them
  std::array<bool, 2> open{true, true};
  bool grandchild = false;  // somebody whom the worker started holds its side open
  bool is_open(int side) const {
    return open[static_cast<std::size_t>(side)] || (side == 1 && grandchild);
  }
  stream& written_by(int side) { return streams[static_cast<std::size_t>(side)]; }
};

struct process {
  process_id id = 0;
  std::uint32_t worker = 0;         // its id among workers; 0 for a primary
  std::shared_ptr<line> channel{};  // what it was started with
  std::shared_ptr<os::turn_counts> turns{};
  time_point start_at{};
  bool started = false;
  bool alive = true;
  bool killed = false;  // and about to die
  bool ready = true;    // may have a handler to run
  int status = 0;
  int signal = 0;
  time_point stays_until{};  // it is busy, and runs no handler
  pending<error_code, os::exit_status> watcher{};
  bool watched = false;  // an os::process of the primary stands for it
};

/// One end of a channel in a process.
class channel_end {
 public:
  channel_end(asio::any_io_executor executor, std::shared_ptr<line> on, int side);
  ~channel_end();

  bool send_now(os::outgoing batch);
  void send(os::outgoing batch, detail::handler<void(error_code)> completion);
  void receive(detail::handler<void(error_code)> completion);
  bool next(os::received& into);
  bool leave(wire::frame_header const& frame, std::uint32_t epoch);
  std::uint32_t epoch() const { return line_->epoch; }
  bool end_epoch();
  void peer_exited() { bounded_ = true; }

  process& owner() const { return *owner_; }
  bool can_write() const;
  void write();
  bool can_read() const;
  void read();
  /// Writes bytes that no channel of ours would write here; only between two batches.
  bool inject(std::vector<std::byte> const& bytes);

 private:
  struct piece {  // a frame of the batch that is being sent
    std::size_t begin;
    std::size_t end;
    bool has_socket;
  };
  void begin(os::outgoing batch);
  void write_what_fits();
  void write_some(std::size_t count);
  bool at_end() const;
  bool take_left(os::received& into);

  std::shared_ptr<line> line_;
  int side_;
  process* owner_;
  asio::any_io_executor executor_;
  pending<error_code> sends_;
  os::outgoing batch_;
  bool begun_ = false;  // to send batch_, by `send_now`
  std::deque<piece> pieces_;
  std::size_t sent_ = 0;
  std::size_t sockets_sent_ = 0;
  object_id riding_ = no_object;  // with the frame that is being written

  pending<error_code> receives_;
  wire::frame_reader reader_;
  std::deque<wire::frame_view> frames_;
  std::deque<os::socket> attached_;
  bool malformed_ = false;
  bool bounded_ = false;
};

/// The end of a channel for the shell of a process: the one that runs now.
os::channel open_channel(asio::any_io_executor executor, std::shared_ptr<line> on, int side);

/// A listener that waits for connections.
struct accept_wait {
  object_id on = no_object;
  process* owner = nullptr;
  pending<error_code> waits{};
  bool was_spurious = false;
  object_id taken = no_object;  // a connection that was taken ahead, as AcceptEx does

  bool is_worth_a_call() const;
  void take_ahead();
};

/// A timer, which may wait for its time.
struct timer_wait {
  process* owner = nullptr;
  time_point until{};
  pending<error_code> waits{};
};

/// Who has made a connection: one of a few clients.
asio::ip::tcp::endpoint client_of(object_id connection);

/// How often faults happen, in a thousand.
struct fault_rates {
  unsigned cut = 0;
  unsigned lost_socket = 0;
  unsigned no_descriptors = 0;
  unsigned spawn_fails = 0;
  unsigned duplicate_fails = 0;
  unsigned spurious = 0;
  unsigned slow_start = 0;
};

/// Sees what crosses the seam. The frames of a channel are seen when the operating system has
/// them, and when the other side has read them.
class observer {
 public:
  virtual ~observer() = default;
  virtual void on_sent(process_id worker, int side, wire::frame_view const& frame,
                       object_id attached) = 0;
  virtual void on_read(process_id worker, int side, wire::frame_view const& frame) = 0;
  virtual void on_recalled(process_id worker) = 0;  // what it was offered and has not taken
  virtual void on_link_end(process_id worker) = 0;  // for the primary
  virtual void on_accepted(object_id connection) = 0;
};

class system {
 public:
  system(choices& from, observer& watcher);
  system(system const&) = delete;
  system& operator=(system const&) = delete;
  ~system();
  static system& current();

  // Failures: the first one counts.
  void fail(std::string_view invariant, std::string what);
  bool failed() const { return !failure_.empty(); }
  std::string const& failure() const { return failure_; }
  void note(char const* what, std::uint64_t a = 0, std::uint64_t b = 0);
  std::string trace() const;
  void print_trace(bool on) { prints_ = on; }
  std::uint64_t digest() const { return digest_; }

  // Handles: each is opened once and closed once, by the process that has it (I10).
  os::socket open(object_id what);
  void close(native_socket handle) noexcept;
  object_id object_of(native_socket handle);
  void hold(object_id what) { ++objects.at(what).references; }
  void drop(object_id what) noexcept;
  /// The handles that a process still has, when it should have none.
  void check_all_closed(process_id owner);

  // Ports.
  std::vector<object_id> listening_on(std::uint16_t port) const;
  object_id add_listening(std::uint16_t port);
  /// Whether a worker waits for connections on this socket.
  bool is_waited_for(object_id listening) const;
  /// A socket that a program makes for itself.
  os::socket add_socket();
  /// A connection of a client; none if nobody listens, or the backlog is full.
  object_id connect(std::uint16_t port);

  /// Whoever holds a worker's end of a channel after the worker ends, too.
  void end_grandchildren();

  /// When the first timer of a process is due; never: `time_point::max()`.
  time_point wakes_at(process const& who) const;
  /// Completes what is due, in its order.
  void expire_timers(process const& who);

  process& add_process(std::uint32_t worker);
  process& running() { return *running_; }
  process* find(process_id id);
  /// `who` runs from here on, as long as the guard lives.
  class running_guard {
   public:
    explicit running_guard(process& who) : before_(current().running_) {
      current().running_ = &who;
    }
    running_guard(running_guard const&) = delete;
    running_guard& operator=(running_guard const&) = delete;
    ~running_guard() { current().running_ = before_; }

   private:
    process* before_;
  };

  /// Whether this call into the operating system is to fail: by chance, or because it is the one
  /// that `fail_call` names.
  bool call_fails(char const* what, unsigned permille);
  /// Which call that was; empty if it has not come.
  std::string const& failed_call() const { return failed_call_; }

  choices& chooses;
  observer& observes;
  fault_rates faults{};
  std::uint64_t fail_call = 0;  // 0: none
  std::uint64_t calls = 0;
  std::size_t stream_room = 1u << 16;
  bool takes_ahead = false;  // as on Windows: a listener that waits takes the next connection
  time_point now{};
  std::map<std::uint16_t, bool> foreign_ports{};  // that another program listens on

  std::map<process_id, std::unique_ptr<process>> processes{};
  std::map<object_id, object> objects{};
  std::vector<channel_end*> ends{};
  std::vector<accept_wait*> listeners{};
  std::vector<timer_wait*> timers{};
  std::uint16_t next_port = 50'000;

 private:
  struct handle {
    object_id what;
    process_id owner;
    bool open;
  };
  struct entry {
    time_point when;
    process_id who;
    char const* what;
    std::uint64_t a;
    std::uint64_t b;
  };
  std::string line_of(entry const& one) const;

  std::vector<handle> handles_;
  object_id last_object_ = 0;
  process_id last_process_ = 0;
  process nobody_{};
  process* running_ = &nobody_;
  std::deque<entry> last_;
  std::string failure_;
  std::string failed_call_;
  std::uint64_t digest_ = 0;
  bool prints_ = false;
};

}  // namespace prong::sim

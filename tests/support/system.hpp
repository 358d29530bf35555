// What tests ask of the operating system that neither std nor the seam can do. One source for each
// backend.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>
#include <prong/socket_handle.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace prong::test {

/// The handles that this process has open.
std::vector<int> open_handles();
/// In a worker that has not opened its channel yet: the handles that it may have by now.
std::vector<int> expected_worker_handles();
/// Whether a process that this one started has neither ended nor been reaped.
bool has_child();
/// Waits for the processes whose owner a test destroyed.
void reap_abandoned();

/// A socket on a free port of the loopback address. It belongs to no event loop.
struct bound_socket {
  socket_handle socket;
  std::uint16_t port = 0;
};
bound_socket listening_socket();
bound_socket datagram_socket();
/// Whether the system lets a socket that Asio uses go, so that it can be sent.
bool lets_sockets_go();
/// Waits for the next connection. It belongs to no event loop: a socket of Asio's for ever does.
socket_handle accept_from(native_socket listener);
/// Writes one byte, on a socket that may belong to another process's event loop.
bool write_byte(native_socket to, char byte);

/// Whether several sockets may have one port, with the system dividing what arrives.
bool divides_among_sockets();
/// Whether local sockets may have names that are no files.
bool has_abstract_names();
/// From now on this process can open no socket of IPv6. False where the system has no such way.
bool refuse_ipv6();
/// Whether a client may wait in vain for the end of a connection of a process that was killed. Wine
/// 8 keeps some for itself, if the process was in a call just then.
bool ends_get_lost();

/// Stops a process that this one started, in a way that it cannot handle, and returns when it is
/// stopped. False where the system has no such way.
bool stop_child(process_id child);
/// The file that this process runs, also where another lies at its path by now.
std::filesystem::path running_program();
/// Puts a program at the place of another, or takes it away; processes may run it and go on.
void replace_program(std::filesystem::path const& by, std::filesystem::path const& at);
void remove_program(std::filesystem::path const& at);
/// Runs a command in the system's shell; its status.
int run_in_shell(std::string const& command);
/// What this process and those that it started are doing, for the report of a test that hangs.
std::string what_processes_do();
/// The signals that are blocked, and what happens on each: comparable, and nothing else.
std::vector<std::string> signal_settings();

/// Whether this process may start others as another user, and the numbers of one without rights.
bool may_change_user();
inline constexpr unsigned another_user = 65534;
/// "<user> <group> <how many supplementary groups>"
std::string who_runs_this();
/// While it exists, this process, which must be root, is in a supplementary group.
class supplementary_group {
 public:
  supplementary_group();
  supplementary_group(supplementary_group const&) = delete;
  supplementary_group& operator=(supplementary_group const&) = delete;
  ~supplementary_group();

 private:
  std::vector<unsigned> before_;
};

/// Whether this process shows a console's window.
bool has_console_window();

/// While it exists, this process does not want to hear of the end of processes it started, as a
/// program that was written for itself may have it.
class ignored_children {
 public:
  ignored_children();
  ignored_children(ignored_children const&) = delete;
  ignored_children& operator=(ignored_children const&) = delete;
  ~ignored_children();
};

/// Asks this process to end, as another would: with the signal SIGTERM, for its first thread.
void ask_to_terminate();
void set_variable(std::string const& name, std::string const& value);
void remove_variable(std::string const& name);

/// While it exists, this process can open no further handle.
class no_free_handles {
 public:
  no_free_handles();
  no_free_handles(no_free_handles const&) = delete;
  no_free_handles& operator=(no_free_handles const&) = delete;
  ~no_free_handles();
  /// False where the system knows no such limit.
  explicit operator bool() const noexcept { return limited_; }

 private:
  bool limited_ = false;
  unsigned long long before_ = 0;
};

// In a worker that has not opened its channel yet:

/// Writes to the channel what no channel of ours would.
void write_to_channel(std::span<std::byte const> bytes);
/// Starts a process that holds the worker's end of the channel, and its standard streams, until the
/// primary closes its own end of the channel, or ends.
void hold_channel_in_grandchild();

}  // namespace prong::test

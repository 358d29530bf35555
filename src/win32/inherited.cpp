// The worker's end of the channel. The worker's end when its primary ends (C10) is the work of the
// job that it was born in.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/process.hpp"
#include "win32/channel.hpp"
#include "win32/pipe.hpp"

#include <prong/error.hpp>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace prong::os {
namespace {

struct origin {
  HANDLE end = nullptr;
  HANDLE mailbox = nullptr;
  process_id primary = 0;
};

// Reads the number at the beginning of `text`, and takes it away.
template <class Number>
bool take_number(std::string_view& text, Number& into) noexcept {
  auto const [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return failed == std::errc();
}

bool take_colon(std::string_view& text) noexcept {
  if (!text.starts_with(':')) return false;
  text.remove_prefix(1);
  return true;
}

// "<handle of the pipe>:<handle of the mailbox>:<process id of the primary>"
origin parse(std::string_view text) noexcept {
  std::uintptr_t end = 0;
  std::uintptr_t mailbox = 0;
  process_id primary = 0;
  bool const whole = take_number(text, end) && take_colon(text) && take_number(text, mailbox) &&
                     take_colon(text) && take_number(text, primary) && text.empty();
  if (!whole) return {};
  return {reinterpret_cast<HANDLE>(end), reinterpret_cast<HANDLE>(mailbox), primary};
}

// From the C library's copy of the environment and the system's.
void remove_variable(char const* name) noexcept {
  ::_putenv_s(name, "");
}

}  // namespace

channel channel::inherited(asio::any_io_executor executor, error_code& ec) {
  ec.clear();
  char const* const text = std::getenv(channel_variable);
  auto const from = parse(text != nullptr ? text : "");
  remove_variable(channel_variable);
  remove_variable(worker_id_variable);
  if (from.end == nullptr || !win32::is_worker_end(from.end) ||
      !::SetHandleInformation(from.end, HANDLE_FLAG_INHERIT, 0)) {
    ec = errc::not_a_worker;
    return win32::open_channel(std::move(executor), {}, {}, nullptr, side::worker, ec);
  }
  // A worker that crashed must end, and be replaced, rather than wait for somebody to look at a
  // window that says so.
  ::SetErrorMode(::GetErrorMode() | SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  win32::unique_handle const mailbox(from.mailbox);
  return win32::open_channel(std::move(executor), win32::unique_handle(from.end),
                             {from.primary, {}}, mailbox.get(), side::worker, ec);
}

}  // namespace prong::os

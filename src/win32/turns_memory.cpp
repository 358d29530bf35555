// The memory in which workers count their turns.
// SPDX-License-Identifier: BSL-1.0
#include "win32/turns_memory.hpp"

#include "common/os/process.hpp"
#include "win32/shared_memory.hpp"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string_view>

namespace prong::os {

turns_memory::turns_memory(error_code& ec)
    : impl_(std::make_unique<impl>(
          impl{win32::create_shared_memory(sizeof(turn_counts), win32::inherited::no, ec)})) {}

turns_memory::~turns_memory() = default;

std::shared_ptr<turn_counts> inherited_turns() {
  char const* const said = std::getenv(turns_variable);
  std::string_view const text = said != nullptr ? said : "";
  std::uintptr_t number = 0;
  auto const read = std::from_chars(text.data(), text.data() + text.size(), number);
  bool const whole = !text.empty() && read.ptr == text.data() + text.size();
  win32::unique_handle section(whole ? reinterpret_cast<HANDLE>(number) : nullptr);
  ::_putenv_s(turns_variable, "");
  error_code ec;
  auto const mapped =
      std::make_shared<win32::shared_memory>(section.get(), sizeof(turn_counts), ec);
  if (ec) {
    section.release();  // whatever it is, it is not ours to close
    return {};
  }
  return {mapped, std::launder(static_cast<turn_counts*>(mapped->get()))};
}

}  // namespace prong::os

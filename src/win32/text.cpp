// Text: UTF-8 everywhere in prong, UTF-16 where the system is asked.
// SPDX-License-Identifier: BSL-1.0
#include "win32/text.hpp"

#include "win32/handle.hpp"

namespace prong::win32 {

std::wstring to_utf16(std::string_view text, error_code& ec) {
  if (text.empty()) return {};
  auto const size = static_cast<int>(text.size());
  int const needed =
      ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), size, nullptr, 0);
  if (needed == 0) ec = last_error();
  std::wstring result(static_cast<std::size_t>(needed), L'\0');
  ::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.data(), size, result.data(), needed);
  return result;
}

std::string to_utf8(std::wstring_view text) {
  if (text.empty()) return {};
  auto const size = static_cast<int>(text.size());
  int const needed =
      ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
  std::string result(static_cast<std::size_t>(needed), '\0');
  ::WideCharToMultiByte(CP_UTF8, 0, text.data(), size, result.data(), needed, nullptr, nullptr);
  return result;
}

}  // namespace prong::win32

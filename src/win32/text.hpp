// Text: UTF-8 everywhere in prong, UTF-16 where the system is asked.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <string>
#include <string_view>

namespace prong::win32 {

/// Fails where the text is no UTF-8.
std::wstring to_utf16(std::string_view text, error_code& ec);
/// A lone surrogate, which a path may hold, becomes a replacement character.
std::string to_utf8(std::wstring_view text);

}  // namespace prong::win32

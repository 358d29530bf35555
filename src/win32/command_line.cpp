// A program's arguments and environment in the forms that CreateProcess takes. Boost.Process 1.81
// loses quotes and backslashes, and its environment does not compile here.
// SPDX-License-Identifier: BSL-1.0
#include "win32/command_line.hpp"

#include "win32/handle.hpp"
#include "win32/text.hpp"

#include <shellapi.h>
#include <boost/asio/error.hpp>
#include <map>

namespace prong::win32 {
namespace {

// Names of variables differ in more than case, by the system's own table, which is also the order
// that it expects.
struct by_name {
  bool operator()(std::wstring const& left, std::wstring const& right) const noexcept {
    return ::CompareStringOrdinal(left.data(), static_cast<int>(left.size()), right.data(),
                                  static_cast<int>(right.size()), TRUE) == CSTR_LESS_THAN;
  }
};
using variables = std::map<std::wstring, std::wstring, by_name>;

std::wstring said(std::string const& text, error_code& ec) {
  if (text.find('\0') != std::string::npos) ec = asio::error::invalid_argument;
  return to_utf16(text, ec);
}

// Backslashes are themselves, but before a quote: there each of them is doubled, and one more makes
// the quote a part of the argument.
void append_quoted(std::wstring& line, std::wstring const& argument) {
  if (!argument.empty() && argument.find_first_of(L" \t\n\v\"") == std::wstring::npos) {
    line += argument;
    return;
  }
  line += L'"';
  std::size_t backslashes = 0;
  for (wchar_t const each : argument) {
    if (each == L'"') line.append(backslashes + 1, L'\\');
    backslashes = each == L'\\' ? backslashes + 1 : 0;
    line += each;
  }
  line.append(backslashes, L'\\');
  line += L'"';
}

variables own_environment() {
  variables result;
  wchar_t* const block = ::GetEnvironmentStringsW();
  if (block == nullptr) return result;
  for (std::wstring_view rest(block); !rest.empty();) {
    // The shell's notes of each drive's folder begin with an equals sign.
    auto const equals = rest.find(L'=', 1);
    if (equals != std::wstring_view::npos) {
      result.emplace(rest.substr(0, equals), rest.substr(equals + 1));
    }
    rest = std::wstring_view(rest.data() + rest.size() + 1);
  }
  ::FreeEnvironmentStringsW(block);
  return result;
}

}  // namespace

std::wstring command_line(os::program const& what, error_code& ec) {
  // The name is read by other rules, in which nothing stands for a quote; no path contains one.
  std::wstring line = L'"' + what.executable.native() + L'"';
  for (auto const& argument : what.arguments) {
    line += L' ';
    append_quoted(line, said(argument, ec));
  }
  return line;
}

std::wstring environment_block(os::program const& what, std::wstring const& channel,
                               std::wstring const& turns, error_code& ec) {
  auto all = own_environment();
  // A worker may be a primary as well; who it is, is not its workers' affair.
  all.erase(to_utf16(os::worker_id_variable, ec));
  all.erase(to_utf16(os::turns_variable, ec));
  for (auto const& [name, value] : what.environment) {
    if (name.empty() || name.find('=') != std::string::npos) ec = asio::error::invalid_argument;
    all[said(name, ec)] = said(value, ec);
  }
  all[to_utf16(os::channel_variable, ec)] = channel;
  if (!turns.empty()) all[to_utf16(os::turns_variable, ec)] = turns;
  std::wstring block;
  for (auto const& [name, value] : all) {
    block += name;
    block += L'=';
    block += value;
    block += L'\0';
  }
  block += L'\0';
  return block;
}

std::vector<std::string> own_arguments() {
  int count = 0;
  wchar_t** const all = ::CommandLineToArgvW(::GetCommandLineW(), &count);
  std::vector<std::string> result;
  for (int i = 1; all != nullptr && i < count; ++i) result.push_back(to_utf8(all[i]));
  ::LocalFree(all);
  return result;
}

}  // namespace prong::win32

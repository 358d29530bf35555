// How a worker's process is started: what may be said, and what it comes to.
// SPDX-License-Identifier: BSL-1.0
#include "common/fork_options.hpp"

#include <prong/error.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <system_error>
#include <utility>

namespace prong {
namespace {

// The system takes texts up to their first NUL, and the rest would be lost without a word.
template <class Text>
bool is_whole(Text const& text) {
  return text.find(typename Text::value_type{}) == Text::npos;
}

std::string invalid(fork_options const& given) {
  if (!is_whole(given.executable.native())) return "executable: it contains a NUL";
  if (given.arguments && !std::ranges::all_of(*given.arguments, is_whole<std::string>))
    return "arguments: one contains a NUL";
  for (auto const& [name, value] : given.environment) {
    if (name.empty() || name.find('=') != std::string::npos || !is_whole(name))
      return fmt::format("environment: '{}' cannot be a variable's name", name);
    if (!is_whole(value)) return fmt::format("environment: the value of {} contains a NUL", name);
  }
  if (!is_whole(given.working_directory.native())) return "working_directory: it contains a NUL";
  if (given.input == stdio::pipe)
    return "input: it cannot be a pipe; messages are for what a worker is to be told";
  return {};
}

error_code make_absolute(std::filesystem::path& path) {
  std::error_code failed;
  if (!path.empty()) path = std::filesystem::absolute(path, failed);
  return failed;
}

}  // namespace

error_code prepare(fork_options& given, std::string& why) {
  why = invalid(given);
  if (!why.empty()) return errc::invalid_option;
  if ((given.user || given.group) && !os::has_users()) {
    why = fmt::format("{}: a process cannot be given another one here",
                      given.user ? "user" : "group");
    return errc::not_supported;
  }
  why = "executable: relative to a directory that is gone";
  if (auto const ec = make_absolute(given.executable)) return ec;
  why = "working_directory: relative to a directory that is gone";
  if (auto const ec = make_absolute(given.working_directory)) return ec;
  why.clear();
  return {};
}

fork_options merge(fork_options before, fork_options changes) {
  auto const replace = [](auto& by, auto& what) {
    if (by) what = std::move(by);
  };
  auto const replace_path = [](auto& by, auto& what) {
    if (!by.empty()) what = std::move(by);
  };
  replace_path(changes.executable, before.executable);
  replace(changes.arguments, before.arguments);
  for (auto& variable : changes.environment) {
    std::erase_if(before.environment,
                  [&](auto const& each) { return each.first == variable.first; });
    before.environment.push_back(std::move(variable));
  }
  replace_path(changes.working_directory, before.working_directory);
  replace(changes.input, before.input);
  replace(changes.output, before.output);
  replace(changes.error_output, before.error_output);
  replace(changes.user, before.user);
  replace(changes.group, before.group);
  replace(changes.hide_window, before.hide_window);
  return before;
}

os::program program_from(os::program this_program, fork_options const& settings) {
  auto& what = this_program;
  if (!settings.executable.empty()) what.executable = settings.executable;
  if (settings.arguments) what.arguments = *settings.arguments;
  what.environment = settings.environment;
  what.working_directory = settings.working_directory;
  what.input = settings.input.value_or(stdio::inherit);
  what.output = settings.output.value_or(stdio::inherit);
  what.error_output = settings.error_output.value_or(stdio::inherit);
  what.user = settings.user;
  what.group = settings.group;
  what.hide_window = settings.hide_window.value_or(false);
  return std::move(what);
}

std::string describe(os::program const& what) {
  auto text = what.executable.string();
  if (!what.working_directory.empty()) text += " in " + what.working_directory.string();
  if (what.user) text += fmt::format(" as user {}", *what.user);
  if (what.group) text += fmt::format(" with group {}", *what.group);
  return text;
}

}  // namespace prong

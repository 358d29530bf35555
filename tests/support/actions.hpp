// What a core wants done, as tests look at it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/action.hpp"
#include "common/wire/control.hpp"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace prong::test {

/// Everything that a core, or the queue behind it, wants done by now.
template <class Source>
auto drain(Source& from) {
  auto next = [&from] {
    if constexpr (requires { from.next_action(); })
      return from.next_action();
    else
      return from.pop();
  };
  std::vector<typename decltype(next())::value_type> all;
  while (auto one = next()) all.push_back(std::move(*one));
  return all;
}

/// The actions of one type, in their order.
template <class Action, class Any>
std::vector<Action> only(std::vector<Any> const& actions) {
  std::vector<Action> found;
  for (auto const& each : actions)
    if (auto const* const one = std::get_if<Action>(&each)) found.push_back(*one);
  return found;
}

/// The events of one type that the primary's core reports.
template <class Event>
std::vector<Event> events(std::vector<core::any_action> const& actions) {
  std::vector<Event> found;
  for (auto const& each : actions)
    if (auto const* const out = std::get_if<core::action::emit>(&each))
      if (auto const* const one = std::get_if<Event>(&out->what)) found.push_back(*one);
  return found;
}

/// The frames of one type that go out: of a worker, or of the primary, to `to` or to anybody.
template <class Frame, class Any>
std::vector<Frame> frames(std::vector<Any> const& actions,
                          std::optional<worker_id> to = std::nullopt) {
  std::vector<Frame> found;
  for (auto const& action : actions)
    std::visit(
        [&](auto const& each) {
          if constexpr (std::is_same_v<Any, core::any_action>) {
            if constexpr (std::is_same_v<std::decay_t<decltype(each)>, core::action::send>)
              if (auto const* const one = std::get_if<Frame>(&each.what);
                  one && (!to || each.to == *to))
                found.push_back(*one);
          } else if constexpr (requires { std::get_if<Frame>(&each.what); }) {
            if (auto const* const one = std::get_if<Frame>(&each.what)) found.push_back(*one);
          }
        },
        action);
  return found;
}

/// Where in the order the first action of a type stands; the number of actions if there is none.
template <class Action, class Any>
std::size_t position(std::vector<Any> const& actions) {
  std::size_t at = 0;
  while (at < actions.size() && !std::holds_alternative<Action>(actions[at])) ++at;
  return at;
}

}  // namespace prong::test

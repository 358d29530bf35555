// A variable of this process's environment that a test sets, or removes, for a while.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/system.hpp"

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace prong::test {

class scoped_variable {
 public:
  /// No value: the variable does not exist.
  scoped_variable(std::string name, std::optional<std::string> const& value)
      : name_(std::move(name)) {
    if (char const* const before = std::getenv(name_.c_str())) before_ = before;
    set(value);
  }
  scoped_variable(scoped_variable const&) = delete;
  scoped_variable& operator=(scoped_variable const&) = delete;
  ~scoped_variable() { set(before_); }

 private:
  void set(std::optional<std::string> const& value) const {
    if (value)
      set_variable(name_, *value);
    else
      remove_variable(name_);
  }

  std::string name_;
  std::optional<std::string> before_;
};

}  // namespace prong::test

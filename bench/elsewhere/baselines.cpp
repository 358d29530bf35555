// The baselines in plain system calls, where nobody has written them.
// SPDX-License-Identifier: BSL-1.0
#include "source.hpp"

#include <stdexcept>

namespace bench {
namespace {

[[noreturn]] int is_not_here(settings const& how) {
  throw std::runtime_error("the source " + how.source + " is for Linux only");
}

}  // namespace

int run_direct(settings const& how) {
  is_not_here(how);
}
int run_hand_off(settings const& how) {
  is_not_here(how);
}
int run_shared_queue(settings const& how) {
  is_not_here(how);
}

}  // namespace bench

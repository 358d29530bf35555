// What acceptors ask for, as tests write it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/listen_options.hpp>

namespace prong::test {

inline detail::listen_request request(endpoint const& where, int backlog = 100,
                                      bool v6_only = false) {
  detail::listen_request what;
  what.where = where;
  what.how.backlog = backlog;
  what.how.v6_only = v6_only;
  return what;
}

}  // namespace prong::test

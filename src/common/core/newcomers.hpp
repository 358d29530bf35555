// Accepted connections whose proxy has not said yet who the client is. One that has not said it
// in time, or says what is no header, is nobody's.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/arrivals.hpp"
#include "common/core/proxy_header.hpp"
#include "common/core/types.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace prong::core {

class newcomers {
 public:
  /// What has become of one.
  enum class state { unknown, waits, known, refused };

  /// Its first look is now.
  void add(arrival const& what, time_point now);
  /// What a look has shown. With `known`, `into` has the client, and it is here no more.
  state on_header(connection_id connection, proxy_header const& seen, time_point now,
                  arrival& into);
  /// Which ones are to be looked at now.
  std::vector<connection_id> due(time_point now);
  time_point next_deadline() const;
  std::vector<connection_id> take_all();
  std::size_t size() const noexcept { return all_.size(); }

 private:
  struct newcomer {
    arrival what;
    time_point until;
    duration pause;  // before the next look
  };
  std::map<connection_id, newcomer> all_;
  std::set<std::pair<time_point, connection_id>> looks_;
};

}  // namespace prong::core

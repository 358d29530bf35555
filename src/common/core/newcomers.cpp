// Accepted connections whose proxy has not said yet who the client is.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/newcomers.hpp"

#include <algorithm>

namespace prong::core {
namespace {

// What the specification asks for: a lost packet is sent again within that time.
constexpr duration longest_wait{3'000};
// A proxy sends the header with its first packet, so a second look seldom is. A wait for the socket
// to be readable would have to be undone before the socket goes to its worker, and would end at
// once, again and again, where half a header is there.
constexpr duration first_pause{1};
constexpr duration longest_pause{16};

}  // namespace

void newcomers::add(arrival const& what, time_point now) {
  all_.emplace(what.connection, newcomer{what, now + longest_wait, first_pause});
}

newcomers::state newcomers::on_header(connection_id connection, proxy_header const& seen,
                                      time_point now, arrival& into) {
  auto const found = all_.find(connection);
  if (found == all_.end()) return state::unknown;
  auto& at = found->second;
  if (seen.is == proxy_header::state::incomplete && now < at.until) {
    looks_.emplace(std::min(now + at.pause, at.until), connection);
    at.pause = std::min(2 * at.pause, longest_pause);
    return state::waits;
  }
  into = at.what;
  if (seen.source) into.from = *seen.source;
  all_.erase(found);
  return seen.is == proxy_header::state::whole ? state::known : state::refused;
}

std::vector<connection_id> newcomers::due(time_point now) {
  std::vector<connection_id> found;
  while (!looks_.empty() && looks_.begin()->first <= now) {
    found.push_back(looks_.begin()->second);
    looks_.erase(looks_.begin());
  }
  return found;
}

time_point newcomers::next_deadline() const {
  return looks_.empty() ? never : looks_.begin()->first;
}

std::vector<connection_id> newcomers::take_all() {
  std::vector<connection_id> taken;
  for (auto const& [id, _] : all_) taken.push_back(id);
  all_.clear();
  looks_.clear();
  return taken;
}

}  // namespace prong::core

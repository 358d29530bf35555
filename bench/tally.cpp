// What a client of the benchmark has seen.
// SPDX-License-Identifier: BSL-1.0
#include "tally.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

double milliseconds(clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

/// The value that this part of the sorted values does not exceed.
double percentile(std::vector<double> const& sorted, double part) {
  if (sorted.empty()) return 0;
  auto const at = std::ceil(part * static_cast<double>(sorted.size())) - 1;
  return sorted[static_cast<std::size_t>(std::max(at, 0.0))];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return percentile(values, 0.5);
}

double share_above(std::vector<double> const& sorted, double limit) {
  if (sorted.empty()) return 0;
  auto const above = sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), limit);
  return static_cast<double>(above) / static_cast<double>(sorted.size());
}

}  // namespace

void tally::served(std::string const& worker, clock::duration latency, bool slow) {
  ++served_;
  ++share_[worker];
  if (!slow) latencies_.push_back(milliseconds(latency));
}

void tally::sample_open() {
  if (open_.empty()) return;
  auto const less = [](auto const& a, auto const& b) { return a.second < b.second; };
  auto const [least, most] = std::minmax_element(open_.begin(), open_.end(), less);
  busiest_.push_back(most->second);
  idlest_.push_back(open_.size() < workers_ ? 0 : least->second);
  spread_.push_back(busiest_.back() / std::max(idlest_.back(), 1.0));
}

std::string tally::told_after(clock::duration time) const {
  auto sorted = latencies_;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::size_t> shares;
  for (auto const& [worker, share] : share_) shares.push_back(share);
  shares.resize(std::max(workers_, shares.size()));
  std::sort(shares.rbegin(), shares.rend());
  auto const seconds = milliseconds(time) / 1000;
  auto result =
      fmt::format(R"("connections": {}, "failed": {}, "seconds": {:.3f}, "per_second": {:.1f})",
                  served_, failed_, seconds, static_cast<double>(served_) / seconds);
  result +=
      fmt::format(R"(, "p50_ms": {:.3f}, "p99_ms": {:.3f}, "p999_ms": {:.3f})",
                  percentile(sorted, 0.5), percentile(sorted, 0.99), percentile(sorted, 0.999));
  result += fmt::format(R"(, "over_5_ms": {:.5f}, "shares": [{}])", share_above(sorted, 5),
                        fmt::join(shares, ", "));
  if (!spread_.empty())
    result += fmt::format(R"(, "open_busiest": {}, "open_idlest": {}, "open_spread": {:.3f})",
                          median(busiest_), median(idlest_), median(spread_));
  return "{" + result + "}";
}

}  // namespace bench

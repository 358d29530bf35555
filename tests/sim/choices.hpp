// Where every choice of a simulation comes from, so that a run can be repeated.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace prong::sim {

class choices {
 public:
  virtual ~choices() = default;
  /// One of `count` things that could happen; `count` is at least 1.
  virtual std::size_t pick(std::size_t count) = 0;
  /// Whether a fault happens that has this many chances in a thousand.
  virtual bool chance(unsigned permille) = 0;
  /// How much of `most` happens at once, at least 1; all of it unless cuts are drawn.
  virtual std::size_t part(std::size_t most, unsigned permille) = 0;
};

/// Draws everything from one seed.
class random_choices : public choices {
 public:
  explicit random_choices(std::uint64_t seed) : random_(seed) {}

  std::size_t pick(std::size_t count) override { return count < 2 ? 0 : random_() % count; }
  bool chance(unsigned permille) override { return permille > 0 && random_() % 1000 < permille; }
  std::size_t part(std::size_t most, unsigned permille) override {
    return chance(permille) ? 1 + pick(most) : most;
  }

 private:
  std::mt19937_64 random_;
};

/// Enumerates: each run takes the next sequence of picks, depth first, until `advance` says that
/// there is no further one. Faults that are not picks do not happen. Picks beyond `depth` are the
/// first possibility.
class all_choices : public choices {
 public:
  explicit all_choices(std::size_t depth) : depth_(depth) {}

  std::size_t pick(std::size_t count) override {
    if (count < 2 || at_ == depth_ || !enumerates_) return 0;
    if (at_ == taken_.size()) taken_.push_back({0, count});
    return taken_[at_++].chosen;
  }
  bool chance(unsigned) override { return false; }
  std::size_t part(std::size_t most, unsigned) override { return most; }

  /// Until this is called the first possibility is taken each time.
  void enumerate(bool on) { enumerates_ = on; }

  bool advance() {
    at_ = 0;
    enumerates_ = false;
    while (!taken_.empty() && taken_.back().chosen + 1 == taken_.back().count) taken_.pop_back();
    if (taken_.empty()) return false;
    ++taken_.back().chosen;
    return true;
  }

 private:
  struct choice {
    std::size_t chosen;
    std::size_t count;
  };
  std::size_t depth_;
  std::size_t at_ = 0;
  bool enumerates_ = false;
  std::vector<choice> taken_;
};

}  // namespace prong::sim

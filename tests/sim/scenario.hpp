// One life of a cluster, drawn from a seed: a time with faults, a quiet time in which everything
// must recover, and an end.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sim/program.hpp"
#include "sim/user.hpp"
#include "sim/world.hpp"

#include <cstdint>
#include <string>

namespace prong::sim {

struct outcome {
  std::string failure;  // empty if everything held
  std::string trace;    // the last events
  std::uint64_t digest = 0;
  std::uint64_t steps = 0;
  std::uint64_t accepted = 0;
  std::uint64_t handed_over = 0;
};

class scenario {
 public:
  explicit scenario(choices& from) : draw_(from), world_(from) {}

  world& in() { return world_; }
  user& boss() { return *user_; }
  /// Starts the primary.
  void begin(options settings, scheduling policy);
  template <class Call>
  void as_primary(Call&& what) {
    world_.as(*primary_, what);
  }
  /// What must hold after each step.
  void check();
  /// One step, and what must hold after it. False if nothing can happen now.
  bool step();
  /// Runs until nothing happens any more, or until this much time has passed.
  void run_for(duration time);
  /// Everything from the seed.
  void live();
  /// No faults from here on: what must be reached is reached.
  void recover();
  void shut_down();
  void destroy();
  void lose_primary();
  /// The end of the world: nothing is left open.
  void check_nothing_left();
  outcome result();

 private:
  void draw_faults();
  habits draw_habits();
  options draw_options();
  scheduling draw_policy(options& settings);
  void act();
  void disturb();
  void connect_somebody();
  void settle_programs();
  void check_recovered();

  choices& draw_;
  world world_;
  process* primary_ = nullptr;
  user* user_ = nullptr;
  unsigned odd_programs_ = 0;  // in a thousand
  unsigned deaths_ = 0;
  bool divided_ = false;  // each slot has a socket of its own
  bool quiet_ = false;
};

outcome run_seed(std::uint64_t seed, bool print_trace = false);

}  // namespace prong::sim

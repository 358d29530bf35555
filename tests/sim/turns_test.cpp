// Turns at a queue that workers share: what a worker does with what `turns` says.
// SPDX-License-Identifier: BSL-1.0
#include "common/turns.hpp"
#include "sim/scenario.hpp"
#include "support/catch.hpp"

namespace prong::sim {
namespace {

// One worker that serves at once, at a queue that others have taken from, too: so the test says.
class fixture {
 public:
  fixture() {
    auto& world = life_.in();
    world.spawned_run([&world](process& self, asio::io_context& io) {
      return std::make_unique<program>(world, self, io, habits{});
    });
    options settings;
    settings.workers = 1;
    life_.begin(settings, scheduling::shared);
    life_.as_primary([&] { life_.boss().run(); });
    life_.run_for(duration(0));
  }

  void others_have_taken(std::uint32_t count) {
    for (auto& queue : life_.in().workers().front()->turns->taken) queue.back() = count;
  }
  /// How many connections are served while no time passes.
  std::size_t served_at_once(std::size_t clients) {
    auto const before = life_.result().handed_over;
    for (; clients > 0; --clients) {
      life_.in().os.connect(80);
      life_.run_for(duration(0));
    }
    return life_.result().handed_over - before;
  }
  std::size_t served_within(duration time) {
    auto const before = life_.result().handed_over;
    life_.run_for(time);
    return life_.result().handed_over - before;
  }

 private:
  all_choices choices_{0};
  scenario life_{choices_};
};

}  // namespace

TEST_CASE_METHOD(fixture, "a worker that is ahead leaves what comes to others, for a moment",
                 "[sim]") {
  others_have_taken(1);
  CHECK(served_at_once(turns::most_ahead + 1) == turns::most_ahead + 1);
  CHECK(served_at_once(1) == 0);
  CHECK(served_within(std::chrono::milliseconds(1)) == 1);
  // The others have taken none since: nobody is waited for twice.
  CHECK(served_at_once(2 * turns::most_ahead) == 2 * turns::most_ahead);
}

TEST_CASE_METHOD(fixture, "a worker that is alone at a queue never waits", "[sim]") {
  CHECK(served_at_once(3 * turns::most_ahead) == 3 * turns::most_ahead);
}

}  // namespace prong::sim

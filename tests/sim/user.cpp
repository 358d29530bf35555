// The simulated user of a primary.
// SPDX-License-Identifier: BSL-1.0
#include "sim/user.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <string>

namespace prong::sim {

user::user(world& in, asio::io_context& io, options settings, scheduling policy)
    : world_(in),
      stays_(io.get_executor()),
      settings_(settings),
      impl_(std::make_shared<detail::primary_impl>(io.get_executor(), std::move(settings),
                                                   os::program{"program", {}, {}}, policy, 1)) {
  next_event();
}

user::~user() {
  destroy();
}

void user::destroy() {
  if (!impl_) return;
  impl_->close();
  impl_.reset();
}

// Each operation completes exactly once.
detail::handler<void(error_code)> user::completion(std::size_t* counts) {
  ++started_;
  signals_.push_back(std::make_unique<asio::cancellation_signal>());
  auto done = std::make_shared<bool>(false);
  return detail::handler<void(error_code)>(
      asio::bind_cancellation_slot(signals_.back()->slot(), [this, done, counts](error_code) {
        if (std::exchange(*done, true)) world_.os.fail("operations", "one completed twice");
        ++completed_;
        if (counts) --*counts;
      }));
}

void user::run() {
  was_run_ = true;
  if (!shut_down_) target_ = settings_.workers;
  expect();
  impl_->run(completion());
}

void user::fork() {
  error_code ec;
  ++by_hand_;
  expect();
  impl_->fork({}, ec);
}

void user::resize(std::size_t workers) {
  if (!shut_down_) target_ = workers;
  impl_->resize(workers);
}

void user::reload() {
  ++reloads_;
  impl_->reload(completion(&reloads_));
}

void user::disconnect_all() {
  target_ = 0;
  impl_->disconnect_all(completion());
}

void user::shutdown() {
  target_ = 0;
  shut_down_ = true;
  impl_->shutdown(completion());
}

worker_id user::some_worker() {
  auto const all = impl_->decisions().workers();
  auto& draw = world_.os.chooses;
  if (all.empty() || draw.pick(8) == 0) return worker_id{static_cast<std::uint32_t>(draw.pick(12))};
  return all[draw.pick(all.size())].id;
}

void user::act() {
  auto& draw = world_.os.chooses;
  auto const what = draw.pick(24);
  world_.os.note("asks for", what);
  error_code ec;
  if (what == 0 && by_hand_ < 3)
    fork();
  else if (what <= 2)
    resize(draw.pick(5));
  else if (what <= 5)
    reload();
  else if (what <= 8)
    impl_->disconnect(some_worker(), completion());
  else if (what == 9 && draw.pick(4) == 0)
    disconnect_all();
  else if (what == 10 && draw.pick(6) == 0)
    shutdown();
  else if (what == 11 && !was_run_)
    run();
  else if (what <= 13)
    impl_->kill(some_worker(), ec);
  else if (what == 14)
    take_events(draw.pick(2) == 0);
  else if (what == 15 && !signals_.empty() && draw.pick(3) == 0) {
    auto const kind = draw.pick(3);
    // A wait for a reload that was cancelled does not say when the reload ends.
    if (reloads_ > 0) ++reloads_;
    signals_[draw.pick(signals_.size())]->emit(kind == 0   ? asio::cancellation_type::terminal
                                               : kind == 1 ? asio::cancellation_type::partial
                                                           : asio::cancellation_type::total);
    if (impl_->decisions().shutting_down()) {
      shut_down_ = true;
      target_ = 0;
    }
  } else {
    auto const to = some_worker();
    for (auto count = draw.pick(6) == 0 ? 90u : 1u; count > 0; --count) send(to);
  }
  expect();
}

void user::take_events(bool on) {
  takes_events_ = on;
  if (on && !waits_for_event_) next_event();
}

void user::next_event() {
  waits_for_event_ = true;
  ++started_;
  impl_->next_event(detail::handler<void(error_code, event)>([this](error_code ec, event what) {
    ++completed_;
    waits_for_event_ = false;
    if (ec) {
      takes_events_ = false;
      return;
    }
    if (auto const* const text = std::get_if<worker_message>(&what))
      if (text->message.topic != "0")
        world_.rules.message_received(static_cast<std::uint32_t>(text->id), 1, text->message);
    world_.rules.on_event(what);
    if (takes_events_ && impl_) next_event();
  }));
}

void user::send(worker_id to) {
  auto const worker = static_cast<std::uint32_t>(to);
  auto what = world_.rules.write_message(worker, 0);
  auto const number = std::stoull(what.topic);
  ++started_;
  impl_->send(to, std::move(what),
              detail::handler<void(error_code)>([this, worker, number](error_code ec) {
                ++completed_;
                if (!ec) world_.rules.message_sent(worker, 0, number);
              }));
}

}  // namespace prong::sim

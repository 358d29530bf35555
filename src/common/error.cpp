// The error category of prong.
// SPDX-License-Identifier: BSL-1.0
#include <prong/error.hpp>

#include <string>

namespace prong {
namespace {

char const* text(errc value) noexcept {
  switch (value) {
    case errc::not_a_worker: return "this process was not started by a primary";
    case errc::no_such_worker: return "no living worker has this id";
    case errc::worker_gone: return "the worker is gone";
    case errc::primary_gone: return "the primary is gone";
    case errc::protocol_mismatch: return "primary and worker speak no common protocol version";
    case errc::protocol_error: return "the other process sent what the protocol does not allow";
    case errc::start_timeout: return "the worker was not ready in time";
    case errc::stop_timeout: return "the worker did not end in time";
    case errc::replacement_failed: return "the replacement ended before it was ready";
    case errc::message_too_large: return "the message is too large";
    case errc::queue_full: return "too many operations wait already";
    case errc::already_running: return "the primary runs already";
    case errc::shutting_down: return "the primary is shutting down";
    case errc::invalid_option: return "invalid option";
    case errc::not_supported: return "not supported here";
  }
  return "unknown error";
}

class prong_category final : public boost::system::error_category {
 public:
  char const* name() const noexcept override { return "prong"; }
  std::string message(int value) const override { return text(static_cast<errc>(value)); }
};

}  // namespace

boost::system::error_category const& category() noexcept {
  static prong_category const instance;
  return instance;
}

error_code make_error_code(errc value) noexcept {
  return {static_cast<int>(value), category()};
}

}  // namespace prong

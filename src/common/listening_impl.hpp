// What acceptors and UDP sockets of a worker have in common: they ask for a socket, of the primary
// or of the system, and hear what became of it. Those who derive from it use the socket.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/types.hpp"
#include "common/core/worker_core.hpp"
#include "common/os/socket.hpp"
#include "common/waiting_list.hpp"

#include <prong/listen_options.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace prong::detail {

class worker_impl;

class listening_impl : public std::enable_shared_from_this<listening_impl> {
 public:
  listening_impl(listening_impl const&) = delete;
  listening_impl& operator=(listening_impl const&) = delete;
  virtual ~listening_impl() = default;

  asio::any_io_executor const& executor() const noexcept;
  /// Makes it known to its worker; again after `close`.
  void open();
  void close();

  void listen(listen_request what);
  void assign(transport kind, os::socket native, error_code& ec);
  void wait_listening(handler<void(error_code)> completion);

  bool listens() const noexcept { return listens_now_; }
  /// Where it listens, or listened last.
  endpoint const& bound() const noexcept { return bound_; }
  /// What went wrong with listening the last time it did.
  std::string const& failure() const noexcept { return failure_text_; }

  // From the worker.
  void on_listened(core::worker_action::listened const& what, os::socket shared);
  void drain();

 protected:
  explicit listening_impl(std::shared_ptr<worker_impl> owner);

  bool ended() const noexcept;
  /// Asks, unless it listens or has asked. Why an operation cannot wait, if it cannot.
  error_code failure_to_start();
  void ensure_listening();
  void cancel_listens();

  std::shared_ptr<worker_impl> owner_;
  core::acceptor_id id_{};
  std::optional<listen_request> request_;
  std::uint64_t round_ = 0;  // what was started before an end is told apart by this
  bool closed_ = true;

 private:
  /// Opens a socket for `request_`, or takes one, and says where it is bound.
  virtual endpoint open_own(error_code& ec) = 0;
  /// `queue`: see worker_action::listened.
  virtual endpoint adopt(os::socket native, std::uint32_t queue, error_code& ec) = 0;
  /// The socket is there, the adopted one, or the primary accepts.
  virtual void on_use() = 0;
  /// What was asked for has other options than before.
  virtual void on_request() {}
  /// Ends the use of a socket.
  virtual void close_own() = 0;
  virtual bool is_waited_for() const noexcept = 0;
  virtual void complete_all(error_code ec) = 0;

  void resolve();
  void ask();
  void use(endpoint const& bound);
  void fail(error_code ec);

  endpoint bound_;
  error_code failure_;  // for the next operation
  std::string failure_text_;
  waiting_list<void(error_code)> listens_;
  asio::ip::tcp::resolver resolver_;
  bool resolves_ = false;
  bool listens_now_ = false;
};

}  // namespace prong::detail

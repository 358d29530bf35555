// A UDP socket's shell: receives wait in a list, each with where its datagram goes.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/listening_impl.hpp"
#include "common/os/datagrams.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace prong::detail {

class udp_impl final : public listening_impl {
 public:
  using completion = handler<void(error_code, std::size_t)>;

  explicit udp_impl(std::shared_ptr<worker_impl> owner);

  void receive(asio::mutable_buffer into, asio::ip::udp::endpoint& from, completion done);
  void send(asio::const_buffer what, asio::ip::udp::endpoint const& to, completion done);
  void cancel();

 private:
  struct destination {
    std::uint64_t number;
    asio::mutable_buffer into;
    asio::ip::udp::endpoint* from;
  };

  endpoint open_own(error_code& ec) override;
  endpoint adopt(os::socket native, std::uint32_t, error_code& ec) override;
  void on_use() override { wait(); }
  void close_own() override;
  bool is_waited_for() const noexcept override { return !receives_.empty(); }
  void complete_all(error_code ec) override;

  std::shared_ptr<udp_impl> self() {
    return std::static_pointer_cast<udp_impl>(shared_from_this());
  }
  void wait();
  void on_datagrams(error_code ec);
  /// Takes what this process has received ahead, for those who wait.
  void take();

  waiting_list<void(error_code, std::size_t)> receives_;
  std::deque<destination> destinations_;  // of receives_, in their order
  std::optional<os::datagrams> own_;
  std::uint64_t last_number_ = 0;
  bool waiting_ = false;  // for datagrams
};

}  // namespace prong::detail

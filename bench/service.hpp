// What every worker of the benchmark does with a connection, wherever it comes from: a very small
// HTTP/1.1 server. It allocates for as many connections as are open at once, and then no more.
//
//   /            answers at once
//   /work?us=N   computes for N microseconds first
//   /block?ms=N  blocks the whole worker for N milliseconds first
//
// A connection stays open between requests, unless the request says `Connection: close` or is
// HTTP/1.0. The header `Worker` of each answer has the number of the process.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/open_connection.hpp>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class service {
 public:
  /// `on_end`, if given, is called whenever a connection has ended.
  explicit service(std::function<void()> on_end = {});
  service(service const&) = delete;
  service& operator=(service const&) = delete;
  ~service();

  /// Serves a connection until it ends; `counted` lives as long.
  void serve(tcp::socket client, prong::open_connection counted = {});

 private:
  struct connection {
    explicit connection(tcp::socket from) : socket(std::move(from)) {}
    tcp::socket socket;
    prong::open_connection counted{};
    std::array<char, 2048> received{};
    std::size_t size = 0;  // of what was received
  };

  void read(connection& of);
  void answer(connection& of);
  void end(connection& which);

  std::function<void()> on_end_;
  std::string keeps_, closes_;                      // the two answers there are
  std::vector<std::unique_ptr<connection>> all_{};  // open or not
  std::vector<connection*> unused_{};
};

}  // namespace bench

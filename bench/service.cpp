// The worker of the benchmark.
// SPDX-License-Identifier: BSL-1.0
#include "service.hpp"

#include <fmt/format.h>
#include <prong/worker.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <chrono>
#include <thread>

namespace bench {
namespace {

using clock = std::chrono::steady_clock;

/// The number behind `name` in a request's first line, or 0.
int number_after(std::string_view name, std::string_view line) {
  int result = 0;
  if (auto const at = line.find(name); at != line.npos) {
    auto const digits = line.substr(at + name.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), result);
  }
  return result;
}

/// What the path asks for before the answer.
void work(std::string_view first_line) {
  if (first_line.starts_with("GET /work?")) {
    auto const end = clock::now() + std::chrono::microseconds(number_after("us=", first_line));
    while (clock::now() < end) continue;
  } else if (first_line.starts_with("GET /block?")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(number_after("ms=", first_line)));
  }
}

bool wants_close(std::string_view request, std::string_view first_line) {
  return first_line.ends_with("HTTP/1.0") ||
         request.find("Connection: close") != std::string_view::npos;
}

std::string answer_with(std::string_view more) {
  return fmt::format("HTTP/1.1 200 OK\r\nWorker: {}\r\nContent-Length: 5\r\n{}\r\nhello",
                     prong::this_process(), more);
}

}  // namespace

service::service(std::function<void()> on_end)
    : on_end_(std::move(on_end)),
      keeps_(answer_with("")),
      closes_(answer_with("Connection: close\r\n")) {}

service::~service() = default;

void service::serve(tcp::socket client, prong::open_connection counted) {
  if (unused_.empty()) {
    all_.push_back(std::make_unique<connection>(std::move(client)));
    unused_.reserve(all_.size());
    unused_.push_back(all_.back().get());
  } else {
    unused_.back()->socket = std::move(client);
  }
  auto& one = *unused_.back();
  unused_.pop_back();
  one.counted = std::move(counted);
  read(one);
}

void service::read(connection& of) {
  if (of.size == of.received.size()) return end(of);  // a request that is too large
  of.socket.async_read_some(asio::buffer(of.received) + of.size,
                            [this, &of](error_code ec, std::size_t count) {
                              if (ec) return end(of);
                              of.size += count;
                              answer(of);
                            });
}

void service::answer(connection& of) {
  std::string_view const received(of.received.data(), of.size);
  auto const head_size = received.find("\r\n\r\n");
  if (head_size == received.npos) return read(of);
  auto const head = received.substr(0, head_size);
  auto const first_line = head.substr(0, head.find("\r\n"));
  work(first_line);
  bool const closes = wants_close(head, first_line);
  auto const rest = received.substr(head_size + 4);
  std::copy(rest.begin(), rest.end(), of.received.begin());
  of.size = rest.size();
  asio::async_write(of.socket, asio::buffer(closes ? closes_ : keeps_),
                    [this, &of, closes](error_code ec, std::size_t) {
                      if (ec || closes) return end(of);
                      answer(of);
                    });
}

void service::end(connection& which) {
  error_code ignored;
  which.socket.shutdown(tcp::socket::shutdown_both, ignored);
  which.socket.close(ignored);
  which.counted.reset();
  which.size = 0;
  unused_.push_back(&which);
  if (on_end_) on_end_();
}

}  // namespace bench

// The options of hello_http.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/options.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

struct command_line {
  std::size_t workers = prong::available_parallelism();
  prong::scheduling scheduling = prong::scheduling::platform_default;
  boost::asio::ip::tcp::endpoint where{};
};

inline constexpr int usage_error = 2;

/// What the user wants, or the status to exit with: 0 after --help, `usage_error` after one line
/// on standard error.
inline std::optional<command_line> parse(int argc, char** argv, int& status) {
  using boost::asio::ip::make_address;
  command_line result;
  std::string workers = "auto", address = "127.0.0.1", policy;
  std::uint16_t port = 8080;

  auto const is_worker_count = [&result](std::string const& text) -> std::string {
    if (text == "auto") return {};
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), result.workers);
    bool const good = ec == std::errc() && end == text.data() + text.size();
    if (good && result.workers >= 1 && result.workers <= 1024) return {};
    return text + " is neither auto nor within 1 and 1024";
  };
  auto const is_address = [](std::string const& text) -> std::string {
    boost::system::error_code ec;
    make_address(text, ec);
    return ec ? text + " is not an IP address" : std::string();
  };
  std::map<std::string, prong::scheduling> const policies{
      {"round_robin", prong::scheduling::round_robin}, {"shared", prong::scheduling::shared}};

  CLI::App app("Says hello over HTTP, from several worker processes on one port.", "hello_http");
  app.footer(
      "\nSignals: SIGHUP replaces all workers, one after the other, by what the program's file is"
      "\nthen. SIGINT or SIGTERM stops when all requests are answered; a second one stops at once."
      "\nExit status: 0 after a graceful stop, 1 after an error or a stop at once, 2 for bad "
      "options.");
  app.add_option("--workers", workers, "Worker processes, or auto: as many as can run at once")
      ->check(CLI::Validator(is_worker_count, ""))
      ->type_name("N|auto")
      ->capture_default_str();
  app.add_option("--address", address, "IP address to listen on; 0.0.0.0 or :: for all")
      ->check(CLI::Validator(is_address, ""))
      ->type_name("IP")
      ->capture_default_str();
  app.add_option("--port", port, "Port to listen on; 0 for any that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--scheduling", policy, "Who accepts: the primary in turn, or all workers")
      ->check(CLI::IsMember(policies));
  app.set_version_flag("--version", "hello_http " PRONG_VERSION);

  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    status = error.get_exit_code() == 0 ? app.exit(error) : usage_error;
    if (status != 0) std::fprintf(stderr, "hello_http: %s\n", error.what());
    return std::nullopt;
  }
  if (!policy.empty()) result.scheduling = policies.at(policy);
  result.where = {make_address(address), port};
  return result;
}

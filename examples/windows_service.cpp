// A Windows service that says hello over HTTP, and the commands to manage it:
//
//   windows_service install -- --port 8080    makes a service of this file, as an administrator
//   windows_service start                     and: stop, reload, status, uninstall
//   windows_service serve --port 8080         serves on this console, until Ctrl-C
//
// The service control manager starts it with `serve`, too: the host knows the difference. On other
// systems `serve` is all there is, and works below systemd.
// SPDX-License-Identifier: BSL-1.0
#include "http_server.hpp"

#include <prong/windows_service.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <fstream>

namespace {

struct command_line {
  CLI::App app{"Says hello over HTTP, as a Windows service or on a console.", "windows_service"};
  std::string name = "prong_hello", address = "127.0.0.1", log;
  std::uint16_t port = 8080;
  std::size_t workers = prong::available_parallelism();
  std::vector<std::string> more;
  bool manual = false;

  command_line() {
    app.require_subcommand(1)->fallthrough();  // options of all may follow the command
    // What comes with the start of a service follows what it was installed with, and wins.
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_option("--name", name, "The service's name")->capture_default_str();
    auto* const serve = app.add_subcommand("serve", "Serve, as a service or on this console");
    serve->add_option("--address", address, "IP address")->check(CLI::ValidIPV4);
    serve->add_option("--port", port, "Port; 0 for any that is free")->capture_default_str();
    serve->add_option("--workers", workers, "Worker processes")->check(CLI::Range(1, 1024));
    serve->add_option("--log", log, "A file to which the log is appended as well");
    auto* const install =
        app.add_subcommand("install", "Make a service of this file: install -- [options of serve]");
    install->add_option("arguments", more);
    install->add_flag("--manual", manual, "Do not start it with the system");
    app.add_subcommand("start", "Start the service: start -- [options of serve]")
        ->add_option("arguments", more);
    app.add_subcommand("stop", "Stop the service when all requests are answered");
    app.add_subcommand("reload", "Replace the service's workers by what this file is now");
    app.add_subcommand("status", "Print its state, and have it log how it is");
    app.add_subcommand("uninstall", "Remove the service");
  }

  void parse(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 has it
    app.parse(std::move(arguments));
  }

  std::string verb() const { return app.get_subcommands().front()->get_name(); }
};

int run_worker(command_line const& asked) {
  return serve_http({asio::ip::make_address(asked.address), asked.port}, [](http_request const&) {
    auto const process = std::to_string(prong::this_process());
    return text_response(http::status::ok, "Hello from worker " + process + "\n");
  });
}

int run_primary() {
  asio::io_context context(1);
  prong::host where(context);
  prong::error_code result;
  try {
    command_line asked;
    asked.parse(where.arguments());
    std::ofstream file(asked.log, std::ios::app);
    prong::options settings;
    settings.workers = asked.workers;
    settings.worker.arguments = where.arguments();
    settings.log = [&](prong::log_level level, std::string_view text) {
      where.log(level, text);
      file << text << std::endl;
    };
    prong::primary boss(context, settings);
    where.async_run(boss, {}, [&](error_code ec) { result = ec; });
    context.run();
  } catch (std::exception const& error) {
    where.log(prong::log_level::error, error.what());
    where.stopped(result = prong::errc::invalid_option);
  }
  return result ? 1 : 0;
}

/// Does what the command says with the service, and returns the exit status.
int manage(command_line const& asked) {
  prong::windows_service const service(asked.name);
  auto const verb = asked.verb();
  error_code ec;
  if (verb == "install") {
    prong::service_settings settings;
    settings.description = "Says hello over HTTP from several processes.";
    settings.arguments = asked.more;
    settings.arguments.insert(settings.arguments.begin(), "serve");
    settings.starts_with_system = !asked.manual;
    service.install(settings, ec);
  } else if (verb == "uninstall") {
    service.uninstall(ec);
  } else if (verb == "start") {
    service.start(asked.more, ec);
  } else if (verb == "stop") {
    service.stop(ec);
  } else if (verb == "reload") {
    service.reload(ec);
  } else {
    auto const status = service.query(ec);
    constexpr char const* states[] = {"stopped", "starting", "running", "stopping", "other"};
    if (!ec) std::printf("%s\n", states[static_cast<int>(status.state)]);
    if (status.error) std::printf("it ended with: %s\n", status.error.message().c_str());
    if (status.state == prong::service_state::running) service.report_status(ec);
  }
  if (ec) std::fprintf(stderr, "windows_service %s: %s\n", verb.c_str(), ec.message().c_str());
  return ec ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  command_line asked;
  try {
    asked.parse({argv + 1, argv + argc});
    if (asked.verb() != "serve") return manage(asked);
    return prong::is_worker() ? run_worker(asked) : run_primary();
  } catch (CLI::ParseError const& error) {
    return asked.app.exit(error) == 0 ? 0 : 2;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "windows_service: %s\n", error.what());
    return 1;
  }
}

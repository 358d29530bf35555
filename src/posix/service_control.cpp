// There is no service control manager here.
// SPDX-License-Identifier: BSL-1.0
#include <prong/detail/service_control.hpp>
#include <prong/error.hpp>

namespace prong::detail {

void install_service(std::string const&, service_settings const&, error_code& ec) {
  ec = errc::not_supported;
}
void uninstall_service(std::string const&, error_code& ec) {
  ec = errc::not_supported;
}
void start_service(std::string const&, std::vector<std::string> const&, error_code& ec) {
  ec = errc::not_supported;
}
void stop_service(std::string const&, error_code& ec) {
  ec = errc::not_supported;
}
void reload_service(std::string const&, error_code& ec) {
  ec = errc::not_supported;
}
void report_service_status(std::string const&, error_code& ec) {
  ec = errc::not_supported;
}
service_status query_service(std::string const&, error_code& ec) {
  ec = errc::not_supported;
  return {};
}

}  // namespace prong::detail

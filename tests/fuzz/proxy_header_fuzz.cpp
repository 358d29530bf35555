// Feeds any bytes to the reader of PROXY headers. Checks that more bytes change nothing about what
// was decided, and that a header is never longer than it may be.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/proxy_header.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using prong::core::proxy_header;

void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "proxy_header_fuzz: %s\n", what);
  std::abort();
}

// In memory of its own, so that a read beyond the bytes is seen.
proxy_header read(std::span<std::byte const> bytes) {
  std::vector<std::byte> const exact(bytes.begin(), bytes.end());
  return prong::core::read_proxy_header(exact);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = std::as_bytes(std::span(data, size));
  auto const whole = read(bytes);
  require(whole.is != proxy_header::state::incomplete || size < prong::core::longest_proxy_header,
          "a header has no end");
  require(!whole.source || whole.is == proxy_header::state::whole, "half a header has a client");
  for (std::size_t some = 0; some < size && some < 200; ++some) {
    auto const part = read(bytes.first(some));
    if (part.is == proxy_header::state::incomplete) continue;
    require(part.is == whole.is && part.source == whole.source, "more bytes made a difference");
  }
  return 0;
}

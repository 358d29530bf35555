// Writes the inputs from which the fuzzer starts: each sample frame alone, and all in one stream.
// SPDX-License-Identifier: BSL-1.0
#include "unit/wire/samples.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace {

void write(std::filesystem::path const& to, std::vector<std::byte> const& stream) {
  std::ofstream file(to, std::ios::binary);
  file.put('\0');  // chooses the pieces
  file.write(reinterpret_cast<char const*>(stream.data()),
             static_cast<std::streamsize>(stream.size()));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  std::filesystem::path const folder = arguments[1];
  std::filesystem::create_directories(folder);
  std::vector<std::byte> all;
  int number = 0;
  for (auto const& each : prong::wire::samples()) {
    std::vector<std::byte> one;
    prong::wire::encode(each.what, one);
    all.insert(all.end(), one.begin(), one.end());
    write(folder / std::to_string(number++), one);
  }
  write(folder / "all", all);
}

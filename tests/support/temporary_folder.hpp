// A folder that a test has for itself.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <system_error>

namespace prong::test {

struct temporary_folder {
  temporary_folder() { std::filesystem::create_directory(path); }
  temporary_folder(temporary_folder const&) = delete;
  temporary_folder& operator=(temporary_folder const&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }

  std::filesystem::path const path =
      std::filesystem::temp_directory_path() / ("prong_" + std::to_string(std::random_device{}()));
};

}  // namespace prong::test

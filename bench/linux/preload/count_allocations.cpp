// Counts what a process allocates, when it is loaded before the C library (LD_PRELOAD). The count
// is in a file of the process's number, in the folder that PRONG_BENCH_COUNTS names, as 8 bytes in
// the machine's order; it goes on while somebody reads it.
//
// Every function counts that allocates in C++: operator new is made of malloc, and Asio takes
// aligned_alloc. Only calloc does not, as dlsym may call it.
// SPDX-License-Identifier: BSL-1.0
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>

namespace {

using counter = std::atomic<std::uint64_t>;

counter before_counting{0};
std::atomic<counter*> count{&before_counting};

void count_one() noexcept {
  count.load(std::memory_order_relaxed)->fetch_add(1, std::memory_order_relaxed);
}

template <class Function>
Function* next(char const* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// Maps the count when the library is loaded.
struct begins_counting {
  begins_counting() {
    char const* const folder = std::getenv("PRONG_BENCH_COUNTS");
    if (folder == nullptr) return;
    auto const path = std::string(folder) + "/" + std::to_string(::getpid());
    int const file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, sizeof(counter)) != 0) std::abort();
    void* const shared =
        ::mmap(nullptr, sizeof(counter), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (shared == MAP_FAILED) std::abort();
    count = new (shared) counter(0);
  }
} const begins_now;

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
  static auto* const real = next<void*(std::size_t)>("malloc");
  count_one();
  return real(size);
}

void* realloc(void* ptr, std::size_t size) {
  static auto* const real = next<void*(void*, std::size_t)>("realloc");
  count_one();
  return real(ptr, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  static auto* const real = next<void*(std::size_t, std::size_t)>("aligned_alloc");
  count_one();
  return real(alignment, size);
}

int posix_memalign(void** memptr, std::size_t alignment, std::size_t size) {
  static auto* const real = next<int(void**, std::size_t, std::size_t)>("posix_memalign");
  count_one();
  return real(memptr, alignment, size);
}
}

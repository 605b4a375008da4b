// libcustody-memory-meter.so: see memory_meter.h. Each function counts for its thread and hands on
// to the one that the program would have called.
//
// Threads: any. Nothing here may allocate, copy by memcpy(), or throw.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "tests/bench/memory_meter.h"

namespace custody {
namespace {

MemorySlot* MapSlots() {
  const char* path = std::getenv(kMemoryMeterVariable);
  if (path == nullptr) return nullptr;
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  constexpr std::size_t kBytes = kMemorySlots * sizeof(MemorySlot);
  void* mapped = MAP_FAILED;
  if (::ftruncate(file, kBytes) == 0) {
    mapped = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  ::close(file);
  return mapped == MAP_FAILED ? nullptr : static_cast<MemorySlot*>(mapped);
}

// Set once the library is loaded; what happens before is not counted.
MemorySlot* slots = nullptr;
std::atomic<std::size_t> next_slot{0};
__attribute__((tls_model("initial-exec"))) thread_local MemorySlot* my_slot = nullptr;

__attribute__((constructor)) void Begin() { slots = MapSlots(); }

MemorySlot* MySlot() {
  if (my_slot != nullptr || slots == nullptr) return my_slot;
  const std::size_t number = next_slot.fetch_add(1);
  my_slot = &slots[number < kMemorySlots ? number : kMemorySlots - 1];
  my_slot->tid = static_cast<std::uint64_t>(::syscall(SYS_gettid));
  return my_slot;
}

void Add(std::atomic<std::uint64_t>& counter, std::uint64_t number) {
  counter.fetch_add(number, std::memory_order_relaxed);
}

// The standard library's operator new calls malloc(), jemalloc's does not.
__attribute__((tls_model("initial-exec"))) thread_local bool in_new = false;

void CountAllocation(std::size_t bytes) {
  MemorySlot* slot = in_new ? nullptr : MySlot();
  if (slot == nullptr) return;
  Add(slot->allocations, 1);
  Add(slot->allocated_bytes, bytes);
}

void CountCopy(std::size_t bytes) {
  MemorySlot* slot = MySlot();
  if (slot == nullptr) return;
  Add(slot->copies, 1);
  Add(slot->copied_bytes, bytes);
}

// The function of this name behind this library.
template <typename Function>
Function* Next(Function*& known, const char* name) {
  if (known == nullptr) known = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
  return known;
}

// Byte by byte, for the moments in which the next memcpy() is still looked for.
void* CopySlowly(void* to, const void* from, std::size_t bytes) {
  auto* target = static_cast<volatile unsigned char*>(to);
  const auto* source = static_cast<const unsigned char*>(from);
  if (target <= source) {
    for (std::size_t i = 0; i < bytes; ++i) target[i] = source[i];
  } else {
    for (std::size_t i = bytes; i > 0; --i) target[i - 1] = source[i - 1];
  }
  return to;
}

// An operator new, with or without an alignment.
template <typename... Arguments>
void* CountedNew(void* (*&known)(std::size_t, Arguments...), const char* name, std::size_t size,
                 Arguments... arguments) {
  CountAllocation(size);
  in_new = true;
  void* made = Next(known, name)(size, arguments...);
  in_new = false;
  return made;
}

using Copy = void*(void*, const void*, std::size_t);

void* CountedCopy(Copy*& known, const char* name, void* to, const void* from, std::size_t bytes) {
  static thread_local bool looking __attribute__((tls_model("initial-exec"))) = false;
  CountCopy(bytes);
  if (known == nullptr) {
    if (looking) return CopySlowly(to, from, bytes);
    looking = true;
    Next(known, name);
    looking = false;
  }
  return known(to, from, bytes);
}

}  // namespace
}  // namespace custody

using custody::CountAllocation;
using custody::CountedCopy;
using custody::CountedNew;
using custody::Next;

// NOLINTBEGIN(readability-identifier-naming): the C library's names.
extern "C" {

void* malloc(std::size_t size) {
  static void* (*next)(std::size_t) = nullptr;
  CountAllocation(size);
  return Next(next, "malloc")(size);
}

void* calloc(std::size_t count, std::size_t size) {
  static void* (*next)(std::size_t, std::size_t) = nullptr;
  CountAllocation(count * size);
  return Next(next, "calloc")(count, size);
}

void* realloc(void* old, std::size_t size) {
  static void* (*next)(void*, std::size_t) = nullptr;
  CountAllocation(size);
  return Next(next, "realloc")(old, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  static void* (*next)(std::size_t, std::size_t) = nullptr;
  CountAllocation(size);
  return Next(next, "aligned_alloc")(alignment, size);
}

int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
  static int (*next)(void**, std::size_t, std::size_t) = nullptr;
  CountAllocation(size);
  return Next(next, "posix_memalign")(result, alignment, size);
}

void* memcpy(void* to, const void* from, std::size_t bytes) {
  static custody::Copy* next = nullptr;
  return CountedCopy(next, "memcpy", to, from, bytes);
}

void* memmove(void* to, const void* from, std::size_t bytes) {
  static custody::Copy* next = nullptr;
  return CountedCopy(next, "memmove", to, from, bytes);
}

// What memcpy() and memmove() are called as where the compiler has checked the size of the target.
void* __memcpy_chk(void* to, const void* from, std::size_t bytes, std::size_t room) {
  if (bytes > room) std::abort();
  return memcpy(to, from, bytes);
}

void* __memmove_chk(void* to, const void* from, std::size_t bytes, std::size_t room) {
  if (bytes > room) std::abort();
  return memmove(to, from, bytes);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)

void* operator new(std::size_t size) {
  static void* (*next)(std::size_t) = nullptr;
  return CountedNew(next, "_Znwm", size);
}

void* operator new[](std::size_t size) {
  static void* (*next)(std::size_t) = nullptr;
  return CountedNew(next, "_Znam", size);
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  static void* (*next)(std::size_t, std::align_val_t) = nullptr;
  return CountedNew(next, "_ZnwmSt11align_val_t", size, alignment);
}

void* operator new[](std::size_t size, std::align_val_t alignment) {
  static void* (*next)(std::size_t, std::align_val_t) = nullptr;
  return CountedNew(next, "_ZnamSt11align_val_t", size, alignment);
}

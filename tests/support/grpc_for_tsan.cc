// Tells the thread sanitizer what gRPC promises: what happened before an operation was started is
// seen when it completes. The library itself is not compiled with the sanitizer, so without this
// every object that it hands from one thread to another would be reported.
//
// Takes the place of three functions of gRPC and of the lock of Abseil in programs of the preset
// tsan, and of the function of a completion that is a callback. Only the pair of one operation is
// connected: threads that share nothing but gRPC are still told apart.
//
// Not compiled with the sanitizer, so that its own lock orders nothing.
//
// Threads: any.

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <cstdint>
#include <unordered_map>

extern char __executable_start;  // NOLINT(bugprone-reserved-identifier): the linker's name.
extern char etext;

namespace {

using Functor = grpc_completion_queue_functor;
using Run = void (*)(Functor*, int);

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

class Runs {
 public:
  void Put(Functor* functor, Run run) {
    Lock();
    runs_[functor] = run;
    Unlock();
  }
  Run Get(Functor* functor) {
    Lock();
    const Run run = runs_.at(functor);
    Unlock();
    return run;
  }

 private:
  void Lock() {
    while (held_.test_and_set(std::memory_order_acquire)) {
    }
  }
  void Unlock() { held_.clear(std::memory_order_release); }

  std::atomic_flag held_ = ATOMIC_FLAG_INIT;
  std::unordered_map<Functor*, Run> runs_;
};

Runs& AllRuns() {
  static auto* const runs = new Runs();  // Callbacks come until the very end.
  return *runs;
}

void RunCompleted(Functor* functor, int ok) {
  const Run run = AllRuns().Get(functor);
  __tsan_acquire(functor);
  run(functor, ok);
}

// A completion that is a callback begins with its function, which stands in this program's code;
// any other tag begins with a table of virtual functions, which does not.
bool IsCallback(const void* tag) {
  const auto first = *static_cast<const std::uintptr_t*>(tag);
  return first >= reinterpret_cast<std::uintptr_t>(&__executable_start) &&
         first < reinterpret_cast<std::uintptr_t>(&etext);
}

}  // namespace

// The lock of Abseil, with which gRPC's headers guard what they keep in reactors; by the names of
// Debian's library.
#define CUSTODY_LOCK "_ZN4absl7debian35Mutex4LockEv"
#define CUSTODY_TRY_LOCK "_ZN4absl7debian35Mutex7TryLockEv"
#define CUSTODY_UNLOCK "_ZN4absl7debian35Mutex6UnlockEv"

extern "C" {

void AbslLock(void* mutex) __asm__(CUSTODY_LOCK);
void AbslLock(void* mutex) {
  static auto* const real = Real<void(void*)>(CUSTODY_LOCK);
  real(mutex);
  __tsan_acquire(mutex);
}

bool AbslTryLock(void* mutex) __asm__(CUSTODY_TRY_LOCK);
bool AbslTryLock(void* mutex) {
  static auto* const real = Real<bool(void*)>(CUSTODY_TRY_LOCK);
  if (!real(mutex)) return false;
  __tsan_acquire(mutex);
  return true;
}

void AbslUnlock(void* mutex) __asm__(CUSTODY_UNLOCK);
void AbslUnlock(void* mutex) {
  static auto* const real = Real<void(void*)>(CUSTODY_UNLOCK);
  __tsan_release(mutex);
  real(mutex);
}

grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t count, void* tag,
                                      void* reserved) {
  static auto* const real = Real<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  if (tag != nullptr) {
    if (IsCallback(tag)) {
      auto* const functor = static_cast<Functor*>(tag);
      if (functor->functor_run != &RunCompleted) {
        AllRuns().Put(functor, functor->functor_run);
        functor->functor_run = &RunCompleted;
      }
    }
    __tsan_release(tag);
  }
  return real(call, ops, count, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  static auto* const real =
      Real<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = real(queue, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static auto* const real =
      Real<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = real(queue, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(event.tag);
  return event;
}

}  // extern "C"

#include "daemon/services/read_pool.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "daemon/ledger/thread_name.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::uint64_t kRetryAfterMs = 200;

absl::Status OverloadedStatus(std::size_t waiting) {
  v1::Refusal refusal;
  refusal.set_retry_after_ms(kRetryAfterMs);
  v1::RefusalReason& reason = *refusal.add_reasons();
  reason.set_code(v1::REASON_CODE_E_OVERLOADED);
  reason.set_message(absl::StrFormat("%u questions are waiting for an answer", waiting));
  reason.set_remedy("ask again after the wait that this refusal names");
  return RefusalStatus(absl::StatusCode::kResourceExhausted, refusal);
}

}  // namespace

ReadPool::ReadPool(std::uint32_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

ReadPool::~ReadPool() { Stop(); }

absl::Status ReadPool::Post(std::function<void()> job) {
  {
    const MutexLock lock(mutex_);
    if (!stopping_) {
      if (queue_.size() >= queue_max_) return OverloadedStatus(queue_.size());
      queue_.push_back(std::move(job));
      wake_.NotifyOne();
      return absl::OkStatus();
    }
  }
  job();
  return absl::OkStatus();
}

void ReadPool::PostStep(std::function<void()> job) {
  {
    const MutexLock lock(mutex_);
    if (!stopping_) {
      queue_.push_back(std::move(job));
      wake_.NotifyOne();
      return;
    }
  }
  job();
}

void ReadPool::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ReadPool::Run() {
  NameThread("reader");
  MutexLock lock(mutex_);
  for (;;) {
    while (!stopping_ && queue_.empty()) wake_.Wait(mutex_);
    if (queue_.empty()) return;
    std::function<void()> job = std::move(queue_.front());
    queue_.pop_front();
    lock.Unlock();
    job();
    job = nullptr;  // What it holds dies here, not under the lock.
    lock.Lock();
  }
}

}  // namespace custody

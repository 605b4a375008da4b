#include "daemon/audit/signature_jobs.h"

#include <algorithm>
#include <utility>

namespace custody {

std::optional<WrongEntry> SignatureJobs::Check(std::span<const SignatureJob> jobs) {
  for (const SignatureJob& job : jobs) {
    absl::Status status = check_.Verify(job.key, job.event->signatures[job.position]);
    if (!status.ok()) return WrongEntry{job.index, std::move(status)};
  }
  return std::nullopt;
}

void SignatureJobs::Start(std::uint64_t begin_index, std::vector<SignatureJob> jobs) {
  Chunk chunk;
  chunk.begin = begin_index;
  chunk.jobs = std::make_shared<const std::vector<SignatureJob>>(std::move(jobs));
  const std::size_t each = chunk.jobs->size() / threads_ + 1;
  for (std::size_t begin = 0; begin < chunk.jobs->size(); begin += each) {
    const std::size_t count = std::min(each, chunk.jobs->size() - begin);
    chunk.slices.push_back(std::async(std::launch::async, [this, all = chunk.jobs, begin, count] {
      return Check(std::span(*all).subspan(begin, count));
    }));
  }
  running_.push_back(std::move(chunk));
  WaitFor(kChunksMax);
}

const std::optional<WrongEntry>& SignatureJobs::WaitFor(std::size_t chunks) {
  while (running_.size() > chunks) {
    for (std::future<std::optional<WrongEntry>>& slice : running_.front().slices) {
      std::optional<WrongEntry> wrong = slice.get();
      if (wrong.has_value() && (!first_.has_value() || wrong->index < first_->index)) {
        first_ = std::move(wrong);
      }
    }
    running_.pop_front();
  }
  return first_;
}

}  // namespace custody

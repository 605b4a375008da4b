#include "daemon/audit/signature_jobs.h"

#include <algorithm>
#include <utility>

namespace custody {

std::optional<WrongEntry> SignatureJobs::Check(std::span<const SignatureJob> jobs) {
  std::vector<SignatureCheck::Claim> claims;
  claims.reserve(jobs.size());
  for (const SignatureJob& job : jobs) {
    claims.push_back({&job.key, &job.event->signatures[job.position]});
  }
  std::vector<absl::Status> statuses = check_.VerifyAll(claims);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (!statuses[i].ok())
      return WrongEntry{jobs[i].index, std::move(statuses[i]), jobs[i].entry_bytes};
  }
  return std::nullopt;
}

void SignatureJobs::Start(std::uint64_t begin_index, std::vector<SignatureJob> jobs) {
  Chunk chunk;
  chunk.begin = begin_index;
  // The last slice that ends destroys them all.
  auto all = std::make_shared<const std::vector<SignatureJob>>(std::move(jobs));
  const std::size_t each = pool_.SliceOf(all->size());
  for (std::size_t begin = 0; begin < all->size(); begin += each) {
    const std::size_t count = std::min(each, all->size() - begin);
    chunk.slices.push_back(pool_.Run([this, slice_of = all, begin, count]() mutable {
      const auto held = std::exchange(slice_of, nullptr);
      return Check(std::span(*held).subspan(begin, count));
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

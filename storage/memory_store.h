// The reference engine: everything in memory, nothing survives. Tests and the development mode of
// tools use it; the conformance tests hold every other engine against it.
//
// Threads: as Store.

#ifndef CUSTODY_STORAGE_MEMORY_STORE_H_
#define CUSTODY_STORAGE_MEMORY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "storage/store.h"

namespace custody {

struct MemoryVersions;

class MemoryStore final : public Store {
 public:
  MemoryStore();
  ~MemoryStore() override;

  absl::StatusOr<std::unique_ptr<ReadView>> OpenView() const override;
  // Never fails: nobody else can reach the data.
  absl::Status AcquireWriter() override;
  // What memory has left is not known; a fixed 1 TiB.
  absl::StatusOr<std::uint64_t> FreeBytes() const override;
  absl::StatusOr<std::uint64_t> ApproximateBytes() const override;

  // The number of keys that a view opened now would show.
  std::size_t size() const;

 private:
  absl::Status DoApply(const WriteBatch& batch, Durability durability) override;

  std::shared_ptr<MemoryVersions> versions_;
};

}  // namespace custody

#endif  // CUSTODY_STORAGE_MEMORY_STORE_H_

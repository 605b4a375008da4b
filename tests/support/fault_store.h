// A store that fails on demand, in front of another one.
//
// The store behind it is the disk: it stays as it is when this object, the "process", has failed
// and is thrown away. The latch is this object's own; a new FaultStore over the same store is a
// restart.
//
// Threads: as Store; the calls that plan faults may be made from any thread.
// Owns:    nothing; the store behind it must outlive it.

#ifndef CUSTODY_TESTS_SUPPORT_FAULT_STORE_H_
#define CUSTODY_TESTS_SUPPORT_FAULT_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "storage/store.h"

namespace custody {

// Where a write fails; the caller hears the same error from both.
enum class Fault {
  kBeforeWrite,  // Nothing of the batch is on the disk.
  kAfterWrite,   // All of it is.
};

class FaultStore final : public Store {
 public:
  explicit FaultStore(Store& disk);
  ~FaultStore() override;

  // The next Apply(), or the nth from now on (1 is the next), fails with `error`.
  void FailNextApply(Fault fault, absl::Status error = absl::InternalError("injected fault"));
  void FailNthApply(std::uint64_t nth, Fault fault,
                    absl::Status error = absl::InternalError("injected fault"));

  // From now on, reading a key that begins with `prefix` fails with `error`, in old views too; a
  // scan fails when it comes to such a key. HealReads() ends it.
  void FailReads(std::string prefix, absl::Status error = absl::DataLossError("injected fault"));
  void HealReads();

  // The next OpenView() calls fail with `error`, until it is OK again.
  void FailOpenView(absl::Status error);

  // What FreeBytes() says instead of the store behind; nullopt ends it.
  void SetFreeBytes(std::optional<std::uint64_t> bytes);

  // Called in the thread of Apply() before each attempt; may block, to hold a write in flight.
  void OnApply(std::function<void(const WriteBatch& batch, Durability durability)> hook);

  // Attempts that were made, failed ones included, and those of them that asked for a sync.
  std::uint64_t apply_count() const;
  std::uint64_t synced_count() const;

  absl::StatusOr<std::unique_ptr<ReadView>> OpenView() const override;
  absl::Status AcquireWriter() override;
  absl::StatusOr<std::uint64_t> FreeBytes() const override;
  absl::StatusOr<std::uint64_t> ApproximateBytes() const override;

 private:
  struct Plan;
  class View;

  absl::Status DoApply(const WriteBatch& batch, Durability durability) override;

  Store& disk_;
  std::shared_ptr<Plan> plan_;  // Shared with the views.
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAULT_STORE_H_

// The storage contract: an ordered map of bytes with snapshots and one atomic, durable write call.
//
// The ledger knows this page and no engine. Keys order as unsigned bytes, a shorter key before a
// longer one that begins with it. The first byte of a key names its table; which tables exist is
// the caller's business (storage/key_codec.h builds keys).
//
// Engines: MemoryStore (the reference), RocksdbStore (the default). tests/conformance holds what
// every engine must pass.
//
// Limits: a key has 1 to 65,535 bytes, a value at most 64 MiB, a batch at most 256 MiB.

#ifndef CUSTODY_STORAGE_STORE_H_
#define CUSTODY_STORAGE_STORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"

namespace custody {

// Changes that are applied together. Where two changes name one key, the later one counts.
// Threads: none; one owner at a time.
class WriteBatch {
 public:
  struct Write {
    std::string key;
    std::optional<std::string> value;  // Absent: the key is deleted.
  };

  // Requires a key of at least one byte. An empty value is a value.
  void Put(std::string_view key, std::string_view value);
  // Deleting a key that is absent is no error.
  void Delete(std::string_view key);
  // Adds the changes of `later` behind these.
  void Append(const WriteBatch& later);
  void Clear();

  // The number of changes, and the sum of the lengths of their keys and values.
  std::size_t size() const { return writes_.size(); }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return writes_.empty(); }

  // In the order of the calls.
  const std::vector<Write>& writes() const { return writes_; }
  auto begin() const { return writes_.begin(); }
  auto end() const { return writes_.end(); }

 private:
  std::vector<Write> writes_;
  std::size_t bytes_ = 0;
};

enum class Durability {
  kSynced,    // OK means that the batch survives a power loss.
  kUnsynced,  // OK means that it survives the end of the process. A later synced write covers it.
};

struct KeyValue {
  std::string key;
  std::string value;
};

// The map as it was when the view was opened; later writes do not change it.
//
// Ranges are [begin, end). An empty `end` means "to the last key", an empty `begin` "from the
// first"; a range whose end is not above its begin is empty.
//
// Threads: any number of threads may read one view. Visitors may read this or other views.
class ReadView {
 public:
  // The arguments die when the visitor returns. Returns false to stop.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;

  virtual ~ReadView() = default;

  // nullopt if the key is absent; absence is not an error.
  // Errors: kDataLoss if stored bytes contradict their checksum; kInternal if they cannot be read.
  virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const = 0;

  // The same for several keys: one result per key, in their order. Fails as a whole.
  virtual absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      std::span<const std::string> keys) const;

  // Calls `visit` for each key of the range, ascending, until it returns false.
  // Errors: as Get(); what was visited before the error is right.
  virtual absl::Status Scan(std::string_view begin, std::string_view end,
                            const Visitor& visit) const = 0;

  // The same, descending.
  virtual absl::Status ScanReverse(std::string_view begin, std::string_view end,
                                   const Visitor& visit) const = 0;

  // The lowest and the highest key of the range; nullopt if it is empty. Errors: as Get().
  absl::StatusOr<std::optional<KeyValue>> First(std::string_view begin, std::string_view end) const;
  absl::StatusOr<std::optional<KeyValue>> Last(std::string_view begin, std::string_view end) const;
};

// An ordered map with one writer.
//
// The promise that everything rests on: when Apply(batch, kSynced) says OK, the whole batch is
// there after any crash; when it says anything else, nothing is ever written again through this
// object, so nobody can build on a state that may not exist.
//
// Threads: any thread may open and read views at any time. Apply() must not overlap another
// Apply(); an overlap is a bug and stops the process.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // A view of everything applied so far. All views must be gone before the store is destroyed.
  // Errors: kInternal if the engine cannot make a snapshot.
  virtual absl::StatusOr<std::unique_ptr<ReadView>> OpenView() const = 0;

  // Makes this object the one writer, for as long as it lives. From then on no other object,
  // process or machine can apply to the same data: an engine with a lock refuses the second
  // writer, an engine with fencing lets the later one win and fails the earlier one's next
  // Apply() with kAborted. Calling it again is harmless. Apply() calls it where the caller has
  // not; a daemon calls it at start, to learn early.
  // Errors: kUnavailable if another writer holds the lease; kAborted if this object was fenced.
  virtual absl::Status AcquireWriter() = 0;

  // Writes all of `batch` or none of it. An empty batch does nothing.
  //
  // Any error means that the outcome is unknown: the batch may be there after a restart or not.
  // The first error is final (it latches): this and every later call returns it and writes
  // nothing. Only a new process that reads the store again knows what is there.
  //
  // Errors: kResourceExhausted if the disk is full; kDataLoss if stored bytes contradict
  //         themselves; kAborted or kUnavailable from AcquireWriter(); kInternal otherwise.
  absl::Status Apply(const WriteBatch& batch, Durability durability);

  // The error that Apply() has latched; OK while writing is possible. Any thread, never blocks on
  // a write.
  absl::Status write_status() const;

  // Bytes that this process may still write to the medium, for the reserve that stops writing
  // before the disk is full. Errors: kInternal if it cannot be found out.
  virtual absl::StatusOr<std::uint64_t> FreeBytes() const = 0;

  // Bytes that the data take on the medium, roughly; for status pages, never for decisions.
  // Errors: kInternal.
  virtual absl::StatusOr<std::uint64_t> ApproximateBytes() const = 0;

 private:
  // One attempt at a batch that is not empty; never called again after it failed.
  virtual absl::Status DoApply(const WriteBatch& batch, Durability durability) = 0;

  std::atomic<bool> applying_ = false;
  mutable Mutex mutex_;
  absl::Status write_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_STORAGE_STORE_H_

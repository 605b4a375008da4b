// The floor below the ledger: synced batches of an event and four index keys each, one writer.

#include "crypto/random.h"
#include "storage/rocksdb_store.h"
#include "tests/bench/load.h"

namespace custody {
namespace {

constexpr std::size_t kEventBytes = 1'024;
constexpr std::size_t kIndexKeys = 4;

}  // namespace

absl::StatusOr<LoadResult> RunStore(const std::string& folder, std::size_t batch,
                                    const LoadPlan& plan) {
  RocksdbOptions options;
  options.path = folder + "/store";
  options.create_if_missing = true;
  const absl::StatusOr<std::unique_ptr<RocksdbStore>> store = RocksdbStore::Open(options);
  if (!store.ok()) return store.status();
  const std::string event = RandomBytes(kEventBytes);
  LoadMeter meter(plan);
  while (!meter.over()) {
    WriteBatch writes;
    for (std::size_t i = 0; i < batch; ++i) {
      writes.Put("e" + RandomBytes(8), event);
      for (std::size_t key = 0; key < kIndexKeys; ++key)
        writes.Put("i" + RandomBytes(24), "12345678");
    }
    const auto sent = LoadMeter::Clock::now();
    meter.Answered(sent, batch, (*store)->Apply(writes, Durability::kSynced));
  }
  return meter.Take();
}

}  // namespace custody

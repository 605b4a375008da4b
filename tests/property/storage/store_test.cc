// Random work on both engines shows the same map, in every view, old and new.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/memory_store.h"
#include "storage/rocksdb_store.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Few and short keys around the tables' borders, so that changes meet.
rc::Gen<std::string> KeyGen() {
  const auto byte =
      rc::gen::elementOf(std::string("\x00\x01"
                                     "de"
                                     "\x7F\x80\xFF"
                                     "f",
                                     8));
  return rc::gen::resize(3, rc::gen::nonEmpty(rc::gen::container<std::string>(byte)));
}

Pairs Collect(const ReadView& view, const std::string& begin, const std::string& end,
              bool reverse) {
  Pairs pairs;
  const auto visit = [&](std::string_view key, std::string_view value) {
    pairs.emplace_back(key, value);
    return true;
  };
  const absl::Status status =
      reverse ? view.ScanReverse(begin, end, visit) : view.Scan(begin, end, visit);
  RC_ASSERT(status.ok());
  return pairs;
}

void ExpectSameView(const ReadView& reference, const ReadView& view) {
  RC_ASSERT(Collect(view, "", "", false) == Collect(reference, "", "", false));
  RC_ASSERT(Collect(view, "", "", true) == Collect(reference, "", "", true));
  const auto begin = *rc::gen::oneOf(KeyGen(), rc::gen::just(std::string()));
  const auto end = *rc::gen::oneOf(KeyGen(), rc::gen::just(std::string()));
  const Pairs range = Collect(reference, begin, end, false);
  RC_ASSERT(Collect(view, begin, end, false) == range);
  RC_ASSERT(Collect(view, begin, end, true) == Pairs(range.rbegin(), range.rend()));
  const auto keys = *rc::gen::container<std::vector<std::string>>(KeyGen());
  const auto expected = reference.MultiGet(keys);
  const auto found = view.MultiGet(keys);
  RC_ASSERT(expected.ok() && found.ok());
  RC_ASSERT(*expected == *found);
}

WriteBatch RandomBatch() {
  WriteBatch batch;
  for (const std::string& key : *rc::gen::container<std::vector<std::string>>(KeyGen())) {
    if (*rc::gen::inRange(0, 4) == 0) {
      batch.Delete(key);
    } else {
      batch.Put(key, *rc::gen::arbitrary<std::string>());
    }
  }
  return batch;
}

RC_GTEST_PROP(StoreProperty, EnginesShowTheSameMap, ()) {
  const TempFolder folder;
  const RocksdbOptions options = {.path = folder.Path("store"), .create_if_missing = true};
  MemoryStore memory;
  auto rocksdb = RocksdbStore::Open(options);
  RC_ASSERT(rocksdb.ok());
  std::vector<std::pair<std::unique_ptr<ReadView>, std::unique_ptr<ReadView>>> views;
  for (int round = *rc::gen::inRange(1, 8); round > 0; --round) {
    const WriteBatch batch = RandomBatch();
    RC_ASSERT(memory.Apply(batch, Durability::kSynced).ok());
    RC_ASSERT((*rocksdb)->Apply(batch, Durability::kUnsynced).ok());
    views.emplace_back(*memory.OpenView(), *(*rocksdb)->OpenView());
    for (const auto& [reference, view] : views) {
      ExpectSameView(*reference, *view);
    }
    if (*rc::gen::inRange(0, 3) == 0) {
      views.erase(views.begin());
    }
  }
  views.clear();
  rocksdb = absl::UnknownError("closed");
  rocksdb = RocksdbStore::Open(options);
  RC_ASSERT(rocksdb.ok());
  ExpectSameView(**memory.OpenView(), **(*rocksdb)->OpenView());
}

}  // namespace
}  // namespace custody

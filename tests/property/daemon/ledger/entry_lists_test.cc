#include "daemon/ledger/entry_lists.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "daemon/ledger/schema.h"
#include "storage/memory_store.h"

namespace custody {
namespace {

// Any division of any indices into blocks reads like the plain list.
RC_GTEST_PROP(EntryListsProperty, ReadsWhatAPlainListWouldGive,
              (std::set<std::uint16_t> indices, std::set<std::uint16_t> seals, std::uint16_t begin,
               std::uint16_t end, bool newest_first, std::uint8_t count_max)) {
  const std::string mine = PrefixOfCode("DNR-07");
  const std::string other = PrefixOfCode("DNR-08");
  MemoryStore store;
  EntryLists lists;
  const auto seal = [&] {
    WriteBatch writes;
    lists.Write(&writes);
    RC_ASSERT(store.Apply(writes, Durability::kUnsynced).ok());
  };
  std::vector<std::uint64_t> plain;
  for (const std::uint16_t index : indices) {
    if (seals.contains(index)) seal();
    lists.Add(mine, index);
    lists.Add(other, index + 1U);
    if (index >= begin && index < end) plain.push_back(index);
  }
  seal();
  if (newest_first) std::reverse(plain.begin(), plain.end());
  if (plain.size() > count_max) plain.resize(count_max);
  const auto view = store.OpenView();
  RC_ASSERT(view.ok());
  const auto read = ReadEntryList(**view, mine, begin, end, newest_first, count_max);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == plain);
}

}  // namespace
}  // namespace custody

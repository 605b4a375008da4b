#include "daemon/audit/work_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/tiles.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/catalogue.h"
#include "storage/memory_store.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::_;
using testing::HasSubstr;

ParsedEvent EventOf(std::vector<SubjectKey> subjects) {
  ParsedEvent event;
  event.catalogue = &Catalogue().front();
  event.subjects = std::move(subjects);
  return event;
}

TEST(WorkRowsTest, AnEventIsReadAsItWasWritten) {
  const std::vector<std::vector<SubjectKey>> cases = {
      {},
      {{v1::SUBJECT_KIND_DONOR, std::string(16, '\0')}},
      {{v1::SUBJECT_KIND_CONTAINER, std::string(16, '\xff')},
       {v1::SUBJECT_KIND_IDENTIFIER, "gtin:" + std::string(123, '7')}}};
  for (const std::vector<SubjectKey>& subjects : cases) {
    const ParsedEvent event = EventOf(subjects);
    ASSERT_OK_AND_ASSIGN(const RecordedEvent read, DecodeEventRow(EncodeEventRow(event)));
    EXPECT_EQ(read.code, event.code());
    EXPECT_EQ(read.subjects, subjects);
  }
}

// What does not parse is the fault of the store, never of the log.
TEST(WorkRowsTest, ARowThatIsCutOrOfNoKindAccusesNobody) {
  const std::string row = EncodeEventRow(EventOf({{v1::SUBJECT_KIND_DONOR, std::string(16, 'd')}}));
  const std::size_t whole_code = row.find('\0') + 1;
  for (std::size_t size = 0; size < row.size(); ++size) {
    if (size == whole_code) continue;  // An event without subjects.
    EXPECT_THAT(DecodeEventRow(row.substr(0, size)),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("work folder")))
        << size;
  }
  std::string of_no_kind = row;
  of_no_kind[whole_code] = '\x7f';
  EXPECT_THAT(DecodeEventRow(of_no_kind),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("work folder")));
}

TEST(WorkRowsTest, EveryLeafOfTheTreeIsFoundInATileOrOnTheEdge) {
  for (const std::uint64_t size : {1U, 255U, 256U, 257U, 700U}) {
    MemoryStore store;
    TileTree tree;
    WriteBatch writes;
    for (std::uint64_t i = 0; i < size; ++i) {
      std::vector<FullTile> completed;
      tree.Append(Sha256(std::to_string(i)), &completed);
      for (const FullTile& tile : completed) {
        writes.Put(KeyOfTile(tile.level, tile.index), tile.hashes);
      }
    }
    PutEdge(*tree.Snapshot(), &writes);
    ASSERT_OK(store.Apply(writes, Durability::kSynced));
    ASSERT_OK_AND_ASSIGN(const auto view, store.OpenView());
    for (std::uint64_t i = 0; i < size; ++i) {
      ASSERT_OK_AND_ASSIGN(const Digest leaf, ReadLeafHash(*view, size, i));
      EXPECT_EQ(leaf, Sha256(std::to_string(i))) << i;
    }
    EXPECT_THAT(ReadLeafHash(*view, size, size), StatusIs(absl::StatusCode::kUnavailable, _));
  }
}

TEST(WorkRowsTest, AStoreOfNoAuditSaysSo) {
  MemoryStore store;
  ASSERT_OK_AND_ASSIGN(const auto view, store.OpenView());
  EXPECT_THAT(ReadAudited(*view),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("remove it")));
  WriteBatch writes;
  PutAudited(12, &writes);
  ASSERT_OK(store.Apply(writes, Durability::kSynced));
  ASSERT_OK_AND_ASSIGN(const auto after, store.OpenView());
  ASSERT_OK_AND_ASSIGN(const std::uint64_t audited, ReadAudited(*after));
  EXPECT_EQ(audited, 12U);
}

}  // namespace
}  // namespace custody

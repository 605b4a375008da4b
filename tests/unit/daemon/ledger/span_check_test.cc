// A stretch of the log is judged by itself, wherever a scrub goes on.
#include "daemon/ledger/span_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "daemon/ledger/schema.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SpanCheckTest : public testing::Test {
 protected:
  // Two full tiles, and a right edge.
  void SetUp() override {
    ASSERT_OK(kit_.Initialize(store_));
    ASSERT_OK_AND_ASSIGN(ledger_, kit_.Open(store_));
    for (int i = 0; ledger_->Snapshot()->size() < 2 * kTileWidth + 20; ++i) {
      ASSERT_OK(LedgerKit::Record(*ledger_, kit_.Site(i)));
    }
  }

  // The ledger does not run: its view is that of before the damage.
  void Change(const std::string& key, const std::function<void(std::string*)>& change) {
    ASSERT_OK_AND_ASSIGN(const auto view, store_.OpenView());
    ASSERT_OK_AND_ASSIGN(auto value, view->Get(key));
    ASSERT_TRUE(value.has_value());
    change(&*value);
    WriteBatch damage;
    damage.Put(key, *value);
    ASSERT_OK(store_.Apply(damage, Durability::kSynced));
  }
  void Flip(const std::string& key) {
    Change(key, [](std::string* value) { (*value)[value->size() / 2] ^= 1; });
  }
  void Remove(const std::string& key) {
    WriteBatch damage;
    damage.Delete(key);
    ASSERT_OK(store_.Apply(damage, Durability::kSynced));
  }

  // The snapshot as it is, over what the store holds now.
  std::shared_ptr<const LedgerSnapshot> Now() {
    auto now = std::make_shared<LedgerSnapshot>();
    const auto was = ledger_->Snapshot();
    now->view = *store_.OpenView();
    now->checkpoint = was->checkpoint;
    now->edge = was->edge;
    now->index = was->index;
    now->damage = was->damage;
    return now;
  }
  std::set<std::string> Check() {
    std::set<std::string> found;
    const DamageSink sink = [&](const Damage& damage) { found.insert(damage.where); };
    SpanCheck check(Now(), sink);
    EXPECT_EQ(check.span_count(), 3U);
    for (std::uint64_t span = 0; span < check.span_count(); ++span) {
      EXPECT_OK(check.CheckSpan(span, nullptr));
    }
    EXPECT_OK(check.CheckHead());
    return found;
  }

  LedgerKit kit_;
  MemoryStore store_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(SpanCheckTest, AGoodLogIsClean) { EXPECT_THAT(Check(), IsEmpty()); }

TEST_F(SpanCheckTest, AFlippedAndAMissingEntryAreNamedEachAlone) {
  Flip(KeyOfEntry(300));
  EXPECT_THAT(Check(), ElementsAre("entry 300"));
  Flip(KeyOfEntry(300));
  Remove(KeyOfEntry(7));
  EXPECT_THAT(Check(), ElementsAre("entry 7"));
}

TEST_F(SpanCheckTest, AnEntryOfTheRightEdgeIsNamedByTheTreeInMemory) {
  Flip(KeyOfEntry(2 * kTileWidth + 4));
  EXPECT_THAT(Check(), testing::Contains("entry 516"));
}

// Its entries have the root that the tile above says: they are right.
TEST_F(SpanCheckTest, ATileThatIsWrongAccusesNoEntry) {
  Flip(KeyOfTile(0, 1));
  EXPECT_THAT(Check(), testing::Contains("tile 1 of level 0"));
  EXPECT_THAT(Check(), Not(testing::Contains(HasSubstr("entry"))));
}

TEST_F(SpanCheckTest, ATileThatIsMissingIsNamed) {
  Remove(KeyOfTile(0, 0));
  EXPECT_THAT(Check(), testing::Contains("tile 0 of level 0"));
}

TEST_F(SpanCheckTest, AChainThatLeadsElsewhereNamesWhoseItIs) {
  const SubjectKey site{v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(3)};
  Flip(KeyOfChain(site, 0));
  std::set<std::string> found;
  std::optional<SubjectKey> whose;
  const DamageSink sink = [&](const Damage& damage) { whose = damage.subject; };
  SpanCheck check(Now(), sink);
  ASSERT_OK(check.CheckSpan(0, nullptr));
  EXPECT_EQ(whose, site);
}

TEST_F(SpanCheckTest, ABucketIsHeldAgainstItsLeaves) {
  const SubjectKey site{v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(3)};
  const Digest key = IndexKeyOf(site);
  Flip(KeyOfIndexLeaf(key));
  std::set<std::string> found;
  const DamageSink sink = [&](const Damage& damage) { found.insert(damage.where); };
  SpanCheck check(Now(), sink);
  const auto bucket = static_cast<std::uint16_t>((static_cast<unsigned char>(key.view()[0]) << 8U) |
                                                 static_cast<unsigned char>(key.view()[1]));
  ASSERT_OK(check.CheckBucket(bucket).status());
  EXPECT_THAT(found, ElementsAre("bucket " + std::to_string(bucket) + " of the index"));
}

TEST_F(SpanCheckTest, GivingUpEndsASpan) {
  const DamageSink sink = [](const Damage&) {};
  SpanCheck check(Now(), sink);
  int entries = 0;
  EXPECT_EQ(check.CheckSpan(0, [&] { return ++entries < 10; }).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(entries, 10);
}

}  // namespace
}  // namespace custody

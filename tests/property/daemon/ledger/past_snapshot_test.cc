// The log at any earlier checkpoint that is kept, against two references: the store as it was then
// (a view that was held), and the index made anew from a map. With rows cleared away, whole indices
// written and restarts in between.

#include "daemon/ledger/past_snapshot.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "crypto/index_proof.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/index_history.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"
#include "storage/memory_store.h"
#include "tests/support/reference_merkle.h"

namespace custody {
namespace {

constexpr char kOrigin[] = "ledger.test/past";
constexpr std::int64_t kHistoryMs = 3'600'000;
constexpr std::int64_t kMinuteMs = 60'000;

std::string IdOf(std::uint32_t number) {
  std::string id(12, '\0');
  AppendBigEndian32(number, &id);
  return id;
}
SubjectKey SiteOf(std::uint32_t number) { return {v1::SUBJECT_KIND_SITE, IdOf(number)}; }

// Subjects that share two buckets of the index, and some that share none: what random ids hardly
// ever do.
const std::vector<SubjectKey>& Subjects() {
  static const auto& subjects = *new std::vector<SubjectKey>([] {
    std::vector<SubjectKey> chosen;
    const std::uint16_t first = IndexBucketOf(IndexKeyOf(SiteOf(0)));
    const std::uint16_t second = IndexBucketOf(IndexKeyOf(SiteOf(1)));
    for (std::uint32_t number = 0; number < 300'000; ++number) {
      const std::uint16_t bucket = IndexBucketOf(IndexKeyOf(SiteOf(number)));
      if (bucket == first || bucket == second || number < 8) chosen.push_back(SiteOf(number));
    }
    return chosen;
  }());
  return subjects;
}

// A ledger without rules: any entry about any subjects.
class History {
 public:
  History()
      : signer_(*NoteSigner::Create(kOrigin, *SigningKey::FromEd25519Seed(std::string(32, 'l')))) {
    Begin(TileTree(), IndexTree());
  }

  void AddEntry(const std::set<std::size_t>& places, std::size_t sources) {
    v1::Event event;
    event.set_ledger(kOrigin);
    event.set_event_id(IdOf(++events_));
    event.mutable_site_registered()->set_organisation(absl::StrFormat("number %d", events_));
    for (const std::size_t place : places) {
      v1::SubjectRef* ref = event.add_subjects();
      *ref = RefOf(Subjects()[place]);
      ref->set_role(sources > 0 ? v1::SUBJECT_ROLE_SOURCE : v1::SUBJECT_ROLE_PRIMARY);
      if (sources > 0) --sources;
    }
    v1::SignedEvent signed_event;
    signed_event.set_event(EncodeMessage(event));
    const absl::StatusOr<ParsedEvent> parsed = ReadRecordedEvent(signed_event);
    RC_ASSERT(parsed.ok());
    const absl::StatusOr<AppendedEntry> added = builder_->AppendEvent(*parsed, now_ms_, {});
    RC_ASSERT(added.ok());
    for (const std::size_t place : places) {
      const Digest key = IndexKeyOf(Subjects()[place]);
      leaves_[std::string(key.view())] = IndexValue{++counts_[place], added->leaf_hash}.ToBytes();
    }
  }

  // As the committer does.
  void Seal() {
    const absl::StatusOr<SealedLog> sealed = builder_->AppendSeal(now_ms_, 1);
    RC_ASSERT(sealed.ok());
    WriteBatch writes = builder_->TakeWrites();
    if (newest_ != nullptr) writes.Put(KeyOfCheckpoint(newest_->size()), newest_->note);
    if (!witnessed_.empty()) writes.Put(KeyOfMeta(MetaKey::kWitnessed), witnessed_);
    RC_ASSERT(store_.Apply(writes, Durability::kSynced).ok());
    auto after = std::make_shared<LedgerSnapshot>();
    after->damage = std::make_shared<KnownDamage>();
    after->view = *store_.OpenView();
    after->checkpoint = sealed->checkpoint;
    after->checkpoint.origin = kOrigin;
    after->note = *SignCheckpoint(after->checkpoint, signer_);
    after->edge = sealed->edge;
    after->index = sealed->index;
    after->recorded_at_ms = now_ms_;
    newest_ = after;
    const absl::StatusOr<WriteBatch> history = keeper_->AfterBatch(*after, sealed->index_buckets);
    RC_ASSERT(history.ok());
    RC_ASSERT(store_.Apply(*history, Durability::kUnsynced).ok());
    overlay_->AdvanceView(*store_.OpenView(), overlay_->batch());
    builder_->MarkDurable(sealed->index_sequence);
    RC_ASSERT(after->index.Root().view() == ReferenceIndexRoot(leaves_));
    if (!held_.empty()) held_.back().ended_at_ms = now_ms_;
    held_.push_back({after, leaves_, 0});
  }

  void Restart() {
    const absl::StatusOr<RestoredLog> log = RestoreLog(**store_.OpenView(), newest_->checkpoint);
    RC_ASSERT(log.ok());
    Begin(log->tree, log->index);
  }

  void Witness(std::size_t place) {
    const auto& held = held_[place % held_.size()];
    if (held.snapshot->size() < witnessed_size_) return;
    // Witnesses that come too late find nothing that could be kept.
    if (!PastSnapshots().At(Newest(), held.snapshot->size()).ok()) return;
    witnessed_ = held.snapshot->note;
    witnessed_size_ = held.snapshot->size();
  }
  void Wait(std::int64_t ms) { now_ms_ += ms; }

  // The store's newest view has what was cleared away after the last batch, unlike newest_.
  std::shared_ptr<const LedgerSnapshot> Newest() {
    auto newest = std::make_shared<LedgerSnapshot>();
    newest->damage = std::make_shared<KnownDamage>();
    newest->view = *store_.OpenView();
    newest->checkpoint = newest_->checkpoint;
    newest->note = newest_->note;
    newest->edge = newest_->edge;
    newest->index = newest_->index;
    newest->recorded_at_ms = newest_->recorded_at_ms;
    return newest;
  }

  // Every checkpoint there ever was: right, or not kept any more; and those that must be are.
  void Check() {
    PastSnapshots past;
    const auto newest = Newest();
    const std::uint64_t witnessed = WitnessedSize(*newest->view)->value_or(0);
    for (const Held& held : held_) {
      const std::uint64_t size = held.snapshot->size();
      const auto then = past.At(newest, size);
      const bool must = size == newest->size() || size == witnessed ||
                        held.ended_at_ms >= newest->recorded_at_ms - kHistoryMs;
      if (!then.ok()) {
        RC_ASSERT(absl::IsNotFound(then.status()));
        RC_ASSERT(!must);
        ++not_kept_;
        continue;
      }
      RC_ASSERT((*then)->index.Root().view() == ReferenceIndexRoot(held.leaves));
      RC_ASSERT((*then)->note == held.snapshot->note);
      CheckSubjects(*then, held);
    }
    std::set<std::uint64_t> sizes;
    for (const Held& held : held_) sizes.insert(held.snapshot->size());
    for (std::uint64_t size = 0; size <= newest->size() + 1; ++size) {
      if (sizes.contains(size)) continue;
      RC_ASSERT(absl::IsNotFound(past.At(newest, size).status()));
    }
  }

  std::uint64_t not_kept() const { return not_kept_; }
  std::size_t Rows(Table table) {
    std::size_t rows = 0;
    const std::string prefix = PrefixOfTable(table);
    RC_ASSERT((*store_.OpenView())
                  ->Scan(prefix, PrefixEnd(prefix),
                         [&](std::string_view, std::string_view) { return ++rows > 0; })
                  .ok());
    return rows;
  }

 private:
  struct Held {
    std::shared_ptr<const LedgerSnapshot> snapshot;
    std::map<std::string, std::string> leaves;
    std::int64_t ended_at_ms = 0;  // 0: the newest.
  };

  void Begin(TileTree tree, IndexTree index) {
    builder_.reset();
    overlay_.emplace(*store_.OpenView(), 1'000);
    builder_.emplace(*overlay_, std::move(tree), std::move(index));
    builder_->KeepIndexHistory(true);
    keeper_.emplace(kHistoryMs, /*whole_buckets_min=*/3);
  }

  static void CheckSubjects(const std::shared_ptr<const LedgerSnapshot>& then, const Held& held) {
    const LedgerReader past(then);
    const LedgerReader reference(held.snapshot);
    for (const SubjectKey& subject : Subjects()) {
      const auto state = then->view->Get(KeyOfState(subject));
      RC_ASSERT(state.ok());
      RC_ASSERT(*state == *held.snapshot->view->Get(KeyOfState(subject)));
      RC_ASSERT(*past.Chain(subject, 0, 1'000) == *reference.Chain(subject, 0, 1'000));
      RC_ASSERT(*past.Parents(subject) == *reference.Parents(subject));
      RC_ASSERT(*past.Children(subject) == *reference.Children(subject));
      const Digest key = IndexKeyOf(subject);
      const auto proof = past.ProveSubject(subject);
      RC_ASSERT(proof.ok());
      const auto value =
          VerifyIndexProof(Digest::FromBytes(ReferenceIndexRoot(held.leaves)).value(), key, *proof);
      RC_ASSERT(value.ok());
      const auto want = held.leaves.find(std::string(key.view()));
      RC_ASSERT(value->has_value() == (want != held.leaves.end()));
      if (value->has_value()) RC_ASSERT((*value)->ToBytes() == want->second);
    }
    for (std::uint64_t index = 0; index + 1 < past.size(); index += 3) {
      RC_ASSERT(past.GetReceiptHere(index)->SerializeAsString() ==
                reference.GetReceiptHere(index)->SerializeAsString());
    }
    RC_ASSERT(absl::IsOutOfRange(past.GetEntry(past.size()).status()));
    RC_ASSERT(!then->view->Get(KeyOfEntry(past.size()))->has_value());
  }

  NoteSigner signer_;
  MemoryStore store_;
  std::optional<StateOverlay> overlay_;
  std::optional<LogBuilder> builder_;
  std::optional<IndexHistoryKeeper> keeper_;
  std::int64_t now_ms_ = 1'700'000'000'000;
  std::uint32_t events_ = 0;
  std::string witnessed_;
  std::uint64_t witnessed_size_ = 0;
  std::uint64_t not_kept_ = 0;
  std::shared_ptr<const LedgerSnapshot> newest_;
  std::vector<Held> held_;
  std::map<std::string, std::string> leaves_;
  std::map<std::size_t, std::uint64_t> counts_;
};

void RandomBatch(History* history) {
  const int entries = *rc::gen::inRange(0, 4);
  for (int i = 0; i < entries; ++i) {
    std::set<std::size_t> places;
    const int touches = *rc::gen::inRange(1, 7);
    for (int touch = 0; touch < touches; ++touch) {
      places.insert(*rc::gen::inRange<std::size_t>(0, Subjects().size()));
    }
    history->AddEntry(places, *rc::gen::inRange<std::size_t>(0, places.size()));
  }
  history->Seal();
}

RC_GTEST_PROP(PastSnapshotProperty, EveryKeptCheckpointIsTheLogAsItWas, ()) {
  History history;
  // As entry 0, before which no index is.
  history.AddEntry({0}, 0);
  history.Seal();
  const int batches = *rc::gen::inRange(2, 24);
  for (int i = 0; i < batches; ++i) {
    RandomBatch(&history);
    if (*rc::gen::inRange(0, 4) == 0) history.Restart();
    if (*rc::gen::inRange(0, 3) == 0) history.Witness(*rc::gen::inRange<std::size_t>(0, 24));
    history.Wait(*rc::gen::element<std::int64_t>(0, 1, kMinuteMs, 20 * kMinuteMs));
    if (*rc::gen::inRange(0, 5) == 0) history.Check();
  }
  history.Check();
}

// What nobody can ask for any more takes no room, except the one that witnesses have seen.
TEST(PastSnapshotTest, WhatIsTooOldIsClearedAwayButTheWitnessedOneStays) {
  History history;
  const auto batch = [&](std::size_t place) {
    history.AddEntry({place, place + 1}, 1);
    history.Seal();
    history.Wait(kMinuteMs);
  };
  for (std::size_t i = 0; i < 5; ++i) batch(i);
  history.Witness(2);
  for (std::size_t i = 0; i < 120; ++i) batch(i % 7);
  history.Check();
  EXPECT_LE(history.Rows(Table::kIndexChange), 63U);
  history.Restart();
  for (std::size_t i = 0; i < 40; ++i) batch(i % 5);
  history.Check();
  EXPECT_LE(history.Rows(Table::kIndexChange), 63U);
  EXPECT_GT(history.not_kept(), 100U);
}

}  // namespace
}  // namespace custody

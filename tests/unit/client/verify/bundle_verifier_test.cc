#include "client/verify/bundle_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "client/verify/bundle_contents.h"
#include "client/verify/drill.h"
#include "crypto/merkle.h"
#include "lifecycle/index_proof_message.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/verdict.h"
#include "tests/support/fake_log.h"
#include "tests/support/memory_trees.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_ledger.h"

namespace custody {
namespace {

using testing::HasSubstr;

// The log of a ledger in memory as entries with links and a seal, and bundles of all of it.
class BundleMaker {
 public:
  BundleMaker() {
    ledger.AddPerson({v1::ROLE_NURSE});
    ledger.AddDevice(v1::DEVICE_TYPE_FREEZER);
    ledger.AddProduct();
  }

  // Everything that was recorded, sealed.
  v1::Bundle Make() {
    for (const RecordedEntry& recorded : ledger.log()) {
      AppendEntry(recorded);
    }
    AppendSeal();
    v1::Bundle bundle;
    bundle.set_format_version(1);
    bundle.set_ledger(FakeLog::kOrigin);
    bundle.set_checkpoint(log.SignedCheckpoint(log.size()));
    bundle.set_seal_index(log.size() - 1);
    for (std::uint64_t index = 0; index < log.size(); ++index) {
      auto* entry = bundle.add_entries();
      entry->set_entry(log.EntryAt(index));
      entry->set_index(index);
    }
    for (const auto& [key, indices] : chains_) {
      *bundle.add_index_proofs() = Prove(key);
      auto* subject = bundle.add_subjects();
      *subject->mutable_subject() = RefOf(key);
      for (const std::uint64_t index : indices) {
        subject->add_indices(index);
      }
    }
    return bundle;
  }

  // What the index of the seal says of a subject, known or not.
  v1::IndexProof Prove(const SubjectKey& subject) const {
    return ToMessage(subject,
                     ProveIndexKey(index_.Snapshot(), IndexKeyOf(subject), leaves_).value());
  }

  Trust MakeTrust() const {
    Trust trust;
    trust.ledger = FakeLog::kOrigin;
    trust.entry0_leaf_hash = log.LeafAt(0);
    trust.log_keys = {log.verifier()};
    return trust;
  }

  TestLedger ledger;
  FakeLog log;

 private:
  void AppendEntry(const RecordedEntry& recorded) {
    const ParsedEvent event = ParseSignedEvent(recorded.signed_event, FakeLog::kOrigin).value();
    v1::Entry entry;
    entry.set_index(log.size());
    entry.set_recorded_at_ms(recorded.recorded_at_ms);
    *entry.mutable_signed_event() = recorded.signed_event;
    for (const SubjectKey& subject : event.subjects) {
      std::vector<std::uint64_t>& chain = chains_[subject];
      auto* link = entry.add_links();
      link->set_position(chain.size());
      if (!chain.empty()) {
        link->set_previous(std::string(log.LeafAt(chain.back()).view()));
      }
      chain.push_back(log.size());
    }
    for (const v1::Finding& finding : recorded.findings) {
      *entry.add_findings() = finding;
    }
    log.Append(entry.SerializeAsString());
  }

  void AppendSeal() {
    std::vector<IndexLeaf> leaves;
    for (const auto& [key, indices] : chains_) {
      leaves.push_back({IndexKeyOf(key), {indices.size(), log.LeafAt(indices.back())}});
    }
    const Digest root = index_.Update(leaves, leaves_).value().root;
    leaves_.Put(leaves);
    v1::Entry entry;
    entry.set_index(log.size());
    entry.set_recorded_at_ms(ledger.now_ms());
    entry.mutable_seal()->set_index_root(std::string(root.view()));
    entry.mutable_seal()->set_subject_count(chains_.size());
    entry.mutable_seal()->set_rules_version(1);
    log.Append(entry.SerializeAsString());
  }

  std::map<SubjectKey, std::vector<std::uint64_t>> chains_;
  IndexTree index_;
  MemoryIndexStore leaves_;
};

class BundleVerifierTest : public testing::Test {
 protected:
  BundleVerifierTest() : bundle_(maker_.Make()), trust_(maker_.MakeTrust()) {}

  VerificationReport Judge() {
    return VerifyBundle(bundle_.SerializeAsString(), trust_, maker_.ledger.now_ms()).value();
  }

  // Removes entry `index` and puts the nodes that then are needed.
  void LeaveOut(std::uint64_t index) {
    std::vector<v1::BundleEntry> kept;
    for (const v1::BundleEntry& entry : bundle_.entries()) {
      if (entry.index() != index) {
        kept.push_back(entry);
      }
    }
    bundle_.mutable_entries()->Assign(kept.begin(), kept.end());
    auto* node = bundle_.add_nodes();
    node->set_index(index);
    node->set_hash(std::string(maker_.log.LeafAt(index).view()));
  }

  BundleMaker maker_;
  v1::Bundle bundle_;
  Trust trust_;
};

TEST_F(BundleVerifierTest, VerifiesATrueBundle) {
  const VerificationReport report = Judge();
  EXPECT_EQ(report.level_a, Outcome::kVerified) << report.ToText();
  EXPECT_EQ(report.level_b, Outcome::kVerified) << report.ToText();
  EXPECT_EQ(report.level_c, Outcome::kVerified) << report.ToText();
  EXPECT_THAT(report.ToText(), HasSubstr("operator-asserted"));
  EXPECT_EQ(report.level_d, Outcome::kNotYetProven);
  EXPECT_EQ(report.outcome, Outcome::kVerified);
  EXPECT_THAT(report.ToJson(), HasSubstr("\"outcome\":\"verified\""));
}

TEST_F(BundleVerifierTest, RefusesWhatIsNoBundle) {
  for (const std::string& bytes :
       {std::string(), std::string("\xff\xff\xff"), v1::Bundle().SerializeAsString()}) {
    EXPECT_THAT(VerifyBundle(bytes, trust_, 0),
                StatusIs(absl::StatusCode::kInvalidArgument, testing::_));
  }
  bundle_.clear_entries();
  EXPECT_THAT(VerifyBundle(bundle_.SerializeAsString(), trust_, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no entries")));
}

TEST_F(BundleVerifierTest, AnotherLogKeyIsFalse) {
  trust_.log_keys = {NoteSigner::Create(FakeLog::kOrigin,
                                        SigningKey::FromEd25519Seed(std::string(32, 'z')).value())
                         .value()
                         .verifier()};
  EXPECT_EQ(Judge().level_a, Outcome::kProofFalse);
}

TEST_F(BundleVerifierTest, AnotherEntryZeroIsFalse) {
  trust_.entry0_leaf_hash = Sha256("another");
  EXPECT_EQ(Judge().outcome, Outcome::kProofFalse);
}

TEST_F(BundleVerifierTest, AnotherLedgerCannotBeChecked) {
  trust_.ledger = "other.example/ledger";
  EXPECT_EQ(Judge().outcome, Outcome::kCannotBeChecked);
}

TEST_F(BundleVerifierTest, AFlippedBitInAnyEntryIsFalse) {
  for (int i = 0; i < bundle_.entries_size(); ++i) {
    const std::string kept = bundle_.entries(i).entry();
    for (const std::size_t at : {std::size_t{1}, kept.size() / 2, kept.size() - 1}) {
      std::string* bytes = bundle_.mutable_entries(i)->mutable_entry();
      (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1);
      EXPECT_EQ(Judge().outcome, Outcome::kProofFalse) << i << " " << at;
      *bytes = kept;
    }
  }
}

TEST_F(BundleVerifierTest, ARemovedEntryIsNoticedWithAndWithoutItsNode) {
  const std::uint64_t index = 2;
  LeaveOut(index);
  const VerificationReport report = Judge();
  EXPECT_EQ(report.level_a, Outcome::kVerified) << report.ToText();
  EXPECT_NE(report.level_b, Outcome::kVerified) << report.ToText();
  EXPECT_NE(report.outcome, Outcome::kVerified);
  bundle_.clear_nodes();
  EXPECT_EQ(Judge().level_a, Outcome::kCannotBeChecked);
}

TEST_F(BundleVerifierTest, AChainThatHidesAnEntryIsFalse) {
  for (int i = 0; i < bundle_.subjects_size(); ++i) {
    if (bundle_.subjects(i).indices_size() > 1) {
      bundle_.mutable_subjects(i)->mutable_indices()->RemoveLast();
      EXPECT_EQ(Judge().level_b, Outcome::kProofFalse);
      return;
    }
  }
  FAIL() << "no chain of two";
}

TEST_F(BundleVerifierTest, SwappedSubjectsAreFalse) {
  auto* first = bundle_.mutable_subjects(0);
  auto* last = bundle_.mutable_subjects(bundle_.subjects_size() - 1);
  first->mutable_indices()->Swap(last->mutable_indices());
  EXPECT_EQ(Judge().level_b, Outcome::kProofFalse);
}

TEST_F(BundleVerifierTest, AnUnknownSignerCannotBeChecked) {
  for (int i = 0; i < bundle_.subjects_size(); ++i) {
    if (bundle_.subjects(i).subject().id() == maker_.ledger.administrator()) {
      bundle_.mutable_subjects()->DeleteSubrange(i, 1);
      break;
    }
  }
  const VerificationReport report = Judge();
  EXPECT_EQ(report.level_b, Outcome::kCannotBeChecked) << report.ToText();
  EXPECT_EQ(report.outcome, Outcome::kCannotBeChecked);
}

TEST_F(BundleVerifierTest, ASealThatIsNotTheLastLeafIsFalse) {
  bundle_.set_seal_index(bundle_.seal_index() - 1);
  EXPECT_EQ(Judge().outcome, Outcome::kProofFalse);
}

// The subject with the longest chain, whose newest entry is worth hiding.
int LongestChain(const v1::Bundle& bundle) {
  int longest = 0;
  for (int i = 1; i < bundle.subjects_size(); ++i) {
    if (bundle.subjects(i).indices_size() > bundle.subjects(longest).indices_size()) longest = i;
  }
  return longest;
}

// The bundle shows what was true before the last entry: every chain, link and signature is good.
TEST_F(BundleVerifierTest, AWithheldEntryIsFalseAlthoughAllThatIsShownIsTrue) {
  const std::uint64_t hidden = maker_.log.size() - 2;
  LeaveOut(hidden);
  for (v1::BundleSubject& subject : *bundle_.mutable_subjects()) {
    if (!subject.indices().empty() && *subject.indices().rbegin() == hidden) {
      subject.mutable_indices()->RemoveLast();
    }
  }
  const VerificationReport report = Judge();
  EXPECT_EQ(report.level_a, Outcome::kVerified) << report.ToText();
  EXPECT_EQ(report.level_b, Outcome::kVerified) << report.ToText();
  EXPECT_EQ(report.level_c, Outcome::kProofFalse) << report.ToText();
  EXPECT_EQ(report.outcome, Outcome::kProofFalse);
  EXPECT_THAT(report.ToText(), HasSubstr("1 withheld"));
}

// From wherever a dishonest ledger begins to hide: what is left is true, and not enough.
TEST_F(BundleVerifierTest, WhatADrillWithholdsIsNoticedAtEveryEntry) {
  const v1::Bundle whole = bundle_;
  for (std::uint64_t from = 1; from + 1 < maker_.log.size(); ++from) {
    bundle_ = WithholdEntries(whole, from).value();
    const VerificationReport report = Judge();
    EXPECT_EQ(report.level_a, Outcome::kVerified) << from << report.ToText();
    EXPECT_NE(report.level_b, Outcome::kProofFalse) << from << report.ToText();
    EXPECT_EQ(report.level_c, Outcome::kProofFalse) << from << report.ToText();
    EXPECT_THAT(report.ToText(), HasSubstr("withheld"));
  }
  EXPECT_THAT(WithholdEntries(whole, maker_.log.size() - 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nothing")));
  EXPECT_THAT(WithholdEntries(v1::Bundle(), 1),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cannot be read")));
}

TEST_F(BundleVerifierTest, WhatADrillAltersIsNoticed) {
  bundle_ = AlterEntry(bundle_).value();
  EXPECT_EQ(Judge().level_a, Outcome::kProofFalse);
  EXPECT_THAT(AlterEntry(v1::Bundle()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no event")));
}

TEST_F(BundleVerifierTest, WithoutAnIndexProofCompletenessCannotBeChecked) {
  bundle_.mutable_index_proofs()->RemoveLast();
  EXPECT_EQ(Judge().level_c, Outcome::kCannotBeChecked);
  EXPECT_EQ(Judge().outcome, Outcome::kCannotBeChecked);
  bundle_.clear_index_proofs();
  EXPECT_EQ(Judge().outcome, Outcome::kCannotBeChecked);
}

TEST_F(BundleVerifierTest, AnIndexProofThatLiesIsFalse) {
  const int chain = LongestChain(bundle_);
  const v1::IndexProof kept = bundle_.index_proofs(chain);
  const auto expect_false = [&](const char* what) {
    EXPECT_EQ(Judge().level_c, Outcome::kProofFalse) << what;
    *bundle_.mutable_index_proofs(chain) = kept;
  };
  bundle_.mutable_index_proofs(chain)->set_event_count(kept.event_count() - 1);
  expect_false("another count");
  bundle_.mutable_index_proofs(chain)->set_head(std::string(32, 'h'));
  expect_false("another head");
  bundle_.mutable_index_proofs(chain)->mutable_path()->RemoveLast();
  expect_false("depth and hashes differ");
  bundle_.mutable_index_proofs(chain)->mutable_path(0)->assign(32, 'p');
  expect_false("another path");
  bundle_.mutable_index_proofs(chain)->set_event_count(0);
  bundle_.mutable_index_proofs(chain)->clear_head();
  expect_false("an empty slot");
  *bundle_.mutable_index_proofs(chain) =
      maker_.Prove({v1::SUBJECT_KIND_BATCH, std::string(16, '?')});
  *bundle_.mutable_index_proofs(chain)->mutable_subject() = kept.subject();
  expect_false("the absence of another subject");
  *bundle_.add_index_proofs() = kept;
  EXPECT_EQ(Judge().level_c, Outcome::kProofFalse) << "twice";
}

TEST_F(BundleVerifierTest, AnotherRootOfTheIndexIsFalse) {
  // The seal of another history of the same length cannot be put in: level A rests on it.
  v1::Entry seal;
  ASSERT_TRUE(seal.ParseFromString(bundle_.entries().rbegin()->entry()));
  seal.mutable_seal()->set_index_root(std::string(32, 'r'));
  bundle_.mutable_entries()->rbegin()->set_entry(seal.SerializeAsString());
  EXPECT_EQ(Judge().level_a, Outcome::kProofFalse);
  EXPECT_EQ(Judge().level_c, Outcome::kProofFalse);
}

TEST_F(BundleVerifierTest, AQuorumThatIsNotThereCannotBeChecked) {
  const NoteSigner witness =
      NoteSigner::CreateCosigner("witness.example/w",
                                 SigningKey::FromEd25519Seed(std::string(32, 'w')).value())
          .value();
  trust_.policy =
      ParseWitnessPolicy("witness w " + FormatVkey(witness.verifier()) + "\nquorum w\n").value();
  EXPECT_EQ(Judge().level_a, Outcome::kCannotBeChecked);

  Note note = ParseNote(bundle_.checkpoint()).value();
  const std::uint64_t now_s = static_cast<std::uint64_t>(maker_.ledger.now_ms()) / 1000;
  note.signatures.push_back(witness.Cosign(note.text, now_s - 60).value());
  bundle_.set_checkpoint(FormatNote(note));
  EXPECT_EQ(Judge().level_a, Outcome::kVerified);
  trust_.maximum_age_ms = 59'000;
  EXPECT_EQ(Judge().level_a, Outcome::kCannotBeChecked);
}

// A question about a container that the log does not know, with the answer of the rules.
class VerdictBundleTest : public BundleVerifierTest {
 protected:
  VerdictBundleTest() {
    v1::VerdictRequest request;
    request.set_stage(v1::STAGE_THAW);
    request.add_container_ids(std::string(16, 'c'));
    request.set_site_id(maker_.ledger.site_id());
    request.set_at_ms(maker_.ledger.now_ms());
    const v1::Verdict verdict =
        ComputeVerdict(maker_.ledger.view(), request, maker_.log.size()).value();
    *bundle_.mutable_request() = request;
    *bundle_.mutable_verdict() = verdict;
    std::set<SubjectKey> carried;
    for (const v1::BundleSubject& subject : bundle_.subjects()) {
      carried.insert(KeyOf(subject.subject()));
    }
    for (const v1::SubjectRef& read : verdict.subjects_read()) {
      if (carried.insert(KeyOf(read)).second) {
        *bundle_.add_subjects()->mutable_subject() = read;
        *bundle_.add_index_proofs() = maker_.Prove(KeyOf(read));
      }
    }
  }
};

TEST_F(VerdictBundleTest, IsRecomputedAndCompared) {
  const VerificationReport report = Judge();
  EXPECT_EQ(report.level_d, Outcome::kVerified) << report.ToText();
  EXPECT_NE(report.verdict.value(), v1::VERDICT_VALUE_GO);
}

TEST_F(VerdictBundleTest, AnAlteredVerdictIsFalse) {
  const v1::Verdict kept = bundle_.verdict();
  bundle_.mutable_verdict()->set_value(v1::VERDICT_VALUE_GO);
  EXPECT_EQ(Judge().level_d, Outcome::kProofFalse);
  *bundle_.mutable_verdict() = kept;
  bundle_.mutable_verdict()->mutable_checks()->RemoveLast();
  EXPECT_EQ(Judge().level_d, Outcome::kProofFalse);
  *bundle_.mutable_verdict() = kept;
  bundle_.mutable_verdict()->set_tree_size(kept.tree_size() - 1);
  EXPECT_EQ(Judge().level_d, Outcome::kProofFalse);
}

TEST_F(VerdictBundleTest, AMissingSubjectCannotBeChecked) {
  for (int i = 0; i < bundle_.subjects_size(); ++i) {
    if (bundle_.subjects(i).subject().kind() == v1::SUBJECT_KIND_CONTAINER) {
      bundle_.mutable_subjects()->DeleteSubrange(i, 1);
      break;
    }
  }
  const VerificationReport report = Judge();
  EXPECT_EQ(report.level_d, Outcome::kCannotBeChecked) << report.ToText();
  EXPECT_EQ(report.outcome, Outcome::kCannotBeChecked);
}

// A true verdict about one dose must not pass for the dose that the bundle is named after.
TEST_F(VerdictBundleTest, AVerdictAboutAnotherContainerCannotBeChecked) {
  *bundle_.mutable_subject() =
      RefOf({v1::SUBJECT_KIND_CONTAINER, std::string(16, 'c')}, v1::SUBJECT_ROLE_UNSPECIFIED);
  EXPECT_EQ(Judge().outcome, Outcome::kVerified) << Judge().ToText();
  const SubjectKey other{v1::SUBJECT_KIND_CONTAINER, std::string(16, 'd')};
  *bundle_.mutable_subject() = RefOf(other);
  *bundle_.add_subjects()->mutable_subject() = RefOf(other);
  *bundle_.add_index_proofs() = maker_.Prove(other);
  const VerificationReport report = Judge();
  EXPECT_EQ(report.level_b, Outcome::kVerified) << report.ToText();
  EXPECT_EQ(report.outcome, Outcome::kCannotBeChecked) << report.ToText();
  EXPECT_THAT(report.ToText(), HasSubstr("subject: container 6464"));
  EXPECT_THAT(report.ToText(), HasSubstr("asked about: container 6363"));
  EXPECT_THAT(report.ToJson(), HasSubstr("\"subject\":\"container 6464"));
  EXPECT_THAT(report.ToJson(), HasSubstr("\"container_ids\":[\"6363"));
}

TEST_F(VerdictBundleTest, AVerdictOfALaterMomentCannotBeChecked) {
  const std::int64_t as_of_ms = bundle_.verdict().as_of_ms();
  const auto judge = [&](std::int64_t now_ms, std::optional<std::int64_t> at_ms) {
    return VerifyBundle(bundle_.SerializeAsString(), trust_, now_ms, at_ms).value();
  };
  EXPECT_EQ(judge(as_of_ms - kVerdictAheadMsMax, {}).outcome, Outcome::kVerified);
  EXPECT_EQ(judge(as_of_ms - kVerdictAheadMsMax - 1, {}).outcome, Outcome::kCannotBeChecked);
  EXPECT_EQ(judge(as_of_ms, as_of_ms).outcome, Outcome::kVerified);
  EXPECT_EQ(judge(as_of_ms, as_of_ms - 1).outcome, Outcome::kCannotBeChecked);
  EXPECT_THAT(judge(as_of_ms, as_of_ms).ToText(), HasSubstr("(as asked for)"));
  EXPECT_THAT(judge(as_of_ms, as_of_ms).ToJson(), HasSubstr("\"moment_was_given\":true"));
}

// Whether a recomputed verdict may be used: a GO ends, a NO-GO does not.
class VerdictUseTest : public testing::Test {
 protected:
  static constexpr std::int64_t kAsOfMs = 1'795'000'000'000;
  static constexpr std::int64_t kEndMs = kAsOfMs + 60'000;

  Outcome JudgeAt(v1::VerdictValue value, std::int64_t now_ms,
                  std::optional<std::int64_t> at_ms = std::nullopt) {
    v1::Verdict verdict;
    verdict.set_value(value);
    verdict.set_as_of_ms(kAsOfMs);
    verdict.set_valid_until_ms(kEndMs);
    VerificationReport report;
    report.judged_at_ms = at_ms.value_or(now_ms);
    report.moment_was_given = at_ms.has_value();
    StepLog log(&report);
    JudgeUse(v1::Bundle(), verdict, &report, &log);
    return report.steps.back().outcome;
  }
};

TEST_F(VerdictUseTest, AGoEnds) {
  for (const v1::VerdictValue value : {v1::VERDICT_VALUE_GO, v1::VERDICT_VALUE_GO_WITH_WARNINGS}) {
    EXPECT_EQ(JudgeAt(value, kEndMs), Outcome::kVerified);
    EXPECT_EQ(JudgeAt(value, kEndMs + 1), Outcome::kCannotBeChecked);
    EXPECT_EQ(JudgeAt(value, kEndMs + 1, kEndMs), Outcome::kVerified);
    EXPECT_EQ(JudgeAt(value, kAsOfMs, kEndMs + 1), Outcome::kCannotBeChecked);
  }
  EXPECT_EQ(JudgeAt(v1::VERDICT_VALUE_NO_GO, kEndMs + 1), Outcome::kVerified);
}

// One signature over many observations (RecordBatch) is a true signature of each of them, and still
// of nothing else.
TEST(BundleBatchTest, ASignatureOverABatchIsTrue) {
  BundleMaker maker;
  std::vector<v1::Event> events(2);
  for (v1::Event& event : events) {
    event.mutable_environment_monitored()->add_batch_ids(maker.ledger.NewId());
    maker.ledger.FillHeader(&event);
  }
  const SignAs signer{maker.ledger.AddPerson({v1::ROLE_OPERATOR}), v1::ROLE_OPERATOR,
                      v1::MEANING_PERFORMED};
  for (const v1::SignedEvent& event : maker.ledger.SignBatch(events, signer)) {
    ASSERT_THAT(maker.ledger.Submit(event), IsOk());
  }
  const std::string bytes = maker.Make().SerializeAsString();
  const Trust trust = maker.MakeTrust();
  const VerificationReport report = VerifyBundle(bytes, trust, maker.ledger.now_ms()).value();
  EXPECT_EQ(report.level_b, Outcome::kVerified) << report.ToText();
}

// A revocation accuses nobody: signatures stay true, and what was recorded since the compromise is
// named as suspect.
class SuspectKeyTest : public testing::Test {
 protected:
  VerificationReport JudgeAfterRevocation(std::int64_t compromised_since_ms) {
    const std::string& person = maker_.ledger.quality_assurance();
    v1::Event event;
    event.mutable_key_revoked()->set_person_id(person);
    event.mutable_key_revoked()->set_key_id(maker_.ledger.Person(person)->keys(0).key_id());
    event.mutable_key_revoked()->set_compromised_since_ms(compromised_since_ms);
    const SignAs administrator{maker_.ledger.administrator(), v1::ROLE_ADMINISTRATOR,
                               v1::MEANING_APPROVED};
    EXPECT_OK(maker_.ledger.Record(event, {administrator}));
    const std::string bytes = maker_.Make().SerializeAsString();
    return VerifyBundle(bytes, maker_.MakeTrust(), maker_.ledger.now_ms()).value();
  }

  BundleMaker maker_;
};

TEST_F(SuspectKeyTest, WhatWasRecordedSinceIsNamedAndNothingIsFalse) {
  const VerificationReport report = JudgeAfterRevocation(1);
  EXPECT_EQ(report.outcome, Outcome::kVerified) << report.ToText();
  EXPECT_THAT(report.ToText(), HasSubstr("revoked as compromised since then: that they signed it "
                                         "cannot be checked"));
}

TEST_F(SuspectKeyTest, WhatWasRecordedBeforeIsNot) {
  const VerificationReport report = JudgeAfterRevocation(maker_.ledger.now_ms() + 1);
  EXPECT_EQ(report.outcome, Outcome::kVerified) << report.ToText();
  EXPECT_THAT(report.ToText(), testing::Not(HasSubstr("suspect")));
}

TEST_F(SuspectKeyTest, AKeyThatWasMerelyWithdrawnIsNot) {
  EXPECT_THAT(JudgeAfterRevocation(0).ToText(), testing::Not(HasSubstr("suspect")));
}

}  // namespace
}  // namespace custody

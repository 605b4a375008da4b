// Level B: chains without gaps, and every signature by a key that stood in the chains when its
// event was recorded.
//
// Entries are taken in the order of the log; the states of all carried subjects are folded on the
// way, so "enrolled at that position" is simply "in the state at that moment".

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "client/verify/bundle_contents.h"
#include "crypto/keys.h"
#include "crypto/pae.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/fold.h"
#include "lifecycle/parsed_event.h"

namespace custody {
namespace {

// What was found about one entry: nothing, or the first thing wrong.
struct Finding {
  Outcome outcome = Outcome::kVerified;
  std::string detail;
};

Finding False(std::string detail) { return {Outcome::kProofFalse, std::move(detail)}; }
Finding Unknown(std::string detail) { return {Outcome::kCannotBeChecked, std::move(detail)}; }

// Takes the worse of two, the first of equals.
void Worsen(Finding other, Finding* finding) {
  if (static_cast<int>(other.outcome) > static_cast<int>(finding->outcome)) {
    *finding = std::move(other);
  }
}

// One signature that was looked at.
struct SignedBy {
  std::uint64_t index;
  std::int64_t recorded_at_ms;
  SubjectKey signer;
  std::string key_id;
};

const google::protobuf::RepeatedPtrField<v1::KeyState>& KeysOf(const v1::SubjectState& state) {
  return state.kind() == v1::SUBJECT_KIND_PERSON ? state.person().keys() : state.device().keys();
}

class ChainJudge {
 public:
  ChainJudge(const BundleContents& contents, const Trust& trust, FoldedStates* states)
      : contents_(contents), trust_(trust), states_(states) {}

  // Judges one entry and folds it.
  void Take(const BundleLeaf& leaf);

  const Finding& chains() const { return chains_; }
  const Finding& signatures() const { return signatures_; }
  std::size_t signature_count() const { return signature_count_; }
  // Positions of the chains that no entry filled.
  void JudgeEnds();
  // What is signed by keys that were revoked as compromised since then; empty if nothing is. It is
  // no accusation: the signatures are true, whose they are cannot be said.
  std::string SuspectKeys() const;

 private:
  void JudgeLink(const BundleLeaf& leaf, const SubjectKey& subject, const v1::Link& link);
  void JudgeSignatures(const BundleLeaf& leaf, const ParsedEvent& event);
  Finding JudgeSignature(const BundleLeaf& leaf, const ParsedSignature& signature);
  bool IsSuspect(const SignedBy& signed_by) const;
  void JudgeAddedSignature(const BundleLeaf& leaf, const ParsedEvent& event);
  void Fold(const BundleLeaf& leaf, const ParsedEvent& event);
  absl::StatusOr<const VerifyKey*> ParsedKey(const std::string& spki);

  const BundleContents& contents_;
  const Trust& trust_;
  FoldedStates* states_;
  // How many entries of each chain were met, and the last one's leaf hash.
  std::map<SubjectKey, std::pair<std::size_t, Digest>> met_;
  std::map<std::string, VerifyKey> parsed_keys_;
  Finding chains_;
  Finding signatures_;
  std::size_t signature_count_ = 0;
  std::vector<SignedBy> signed_;
};

void ChainJudge::JudgeLink(const BundleLeaf& leaf, const SubjectKey& subject,
                           const v1::Link& link) {
  const auto chain = contents_.chains.find(subject);
  if (chain == contents_.chains.end()) {
    return;  // A subject beside the question; its chain is not carried.
  }
  auto& [count, head] = met_[subject];
  if (count >= chain->second.size() || chain->second[count] != leaf.index) {
    Worsen(False(absl::StrFormat("entry %d touches %s, whose list leaves it out", leaf.index,
                                 Describe(subject))),
           &chains_);
    return;
  }
  const std::string_view previous = count == 0 ? std::string_view() : head.view();
  if (link.position() != count || link.previous() != previous) {
    Worsen(False(absl::StrFormat("entry %d links to position %d of %s, which has %d before it, or "
                                 "to another predecessor",
                                 leaf.index, link.position(), Describe(subject), count)),
           &chains_);
  }
  ++count;
  head = leaf.leaf_hash;
}

absl::StatusOr<const VerifyKey*> ChainJudge::ParsedKey(const std::string& spki) {
  auto found = parsed_keys_.find(spki);
  if (found == parsed_keys_.end()) {
    absl::StatusOr<VerifyKey> key = VerifyKey::FromSpki(spki);
    if (!key.ok()) {
      return key.status();
    }
    found = parsed_keys_.emplace(spki, *std::move(key)).first;
  }
  return &found->second;
}

Finding ChainJudge::JudgeSignature(const BundleLeaf& leaf, const ParsedSignature& signature) {
  if (contents_.chains.find(signature.signer) == contents_.chains.end()) {
    return Unknown(absl::StrFormat("entry %d is signed by %s, whose chain the bundle lacks",
                                   leaf.index, Describe(signature.signer)));
  }
  const auto& keys = KeysOf((*states_)[signature.signer]);
  const auto enrolled = std::find_if(keys.begin(), keys.end(), [&](const v1::KeyState& key) {
    return key.key_id() == signature.statement.key_id();
  });
  if (enrolled == keys.end()) {
    return False(absl::StrFormat("entry %d is signed with key %s, which %s did not have then",
                                 leaf.index, ToHex(signature.statement.key_id()),
                                 Describe(signature.signer)));
  }
  const absl::StatusOr<const VerifyKey*> key = ParsedKey(enrolled->key().spki());
  if (!key.ok() || (*key)->key_id().view() != signature.statement.key_id()) {
    return False(absl::StrFormat("the key %s of %s is no key", ToHex(enrolled->key_id()),
                                 Describe(signature.signer)));
  }
  const absl::Status valid =
      (*key)->Verify(PreAuthEncoding(PayloadTypeOf(signature), signature.signature.statement()),
                     signature.signature.signature());
  ++signature_count_;
  signed_.push_back(
      {leaf.index, leaf.entry.recorded_at_ms(), signature.signer, signature.statement.key_id()});
  if (absl::IsInternal(valid)) {
    return Unknown(std::string(valid.message()));
  }
  return valid.ok() ? Finding()
                    : False(absl::StrFormat("entry %d: the signature of %s is false", leaf.index,
                                            Describe(signature.signer)));
}

// A SignatureAdded carries a further signature over another event.
void ChainJudge::JudgeAddedSignature(const BundleLeaf& leaf, const ParsedEvent& event) {
  if (!event.event.has_signature_added()) {
    return;
  }
  const v1::SignatureAdded& added = event.event.signature_added();
  v1::Signature signature;
  signature.set_statement(added.statement());
  signature.set_signature(added.signature());
  const absl::StatusOr<Digest> digest = Digest::FromBytes(added.event());
  if (!digest.ok()) {
    Worsen(False(absl::StrFormat("entry %d names no event", leaf.index)), &signatures_);
    return;
  }
  const absl::StatusOr<ParsedSignature> parsed = ParseSignature(signature, *digest, trust_.ledger);
  Worsen(parsed.ok() ? JudgeSignature(leaf, *parsed)
                     : Unknown(absl::StrFormat("entry %d: %s", leaf.index,
                                               std::string(parsed.status().message()))),
         &signatures_);
}

void ChainJudge::JudgeSignatures(const BundleLeaf& leaf, const ParsedEvent& event) {
  if (event.signatures.empty()) {
    Worsen(False(absl::StrFormat("entry %d has no signature", leaf.index)), &signatures_);
  }
  for (const ParsedSignature& signature : event.signatures) {
    Worsen(JudgeSignature(leaf, signature), &signatures_);
  }
  JudgeAddedSignature(leaf, event);
}

void ChainJudge::Fold(const BundleLeaf& leaf, const ParsedEvent& event) {
  const std::vector<v1::Finding> findings(leaf.entry.findings().begin(),
                                          leaf.entry.findings().end());
  for (std::size_t i = 0; i < event.subjects.size(); ++i) {
    if (contents_.chains.find(event.subjects[i]) != contents_.chains.end()) {
      ApplyEntry(event, leaf.index, leaf.entry.recorded_at_ms(), leaf.leaf_hash, findings, i,
                 &(*states_)[event.subjects[i]]);
    }
  }
}

void ChainJudge::Take(const BundleLeaf& leaf) {
  if (!leaf.entry.has_signed_event()) {
    return;
  }
  const absl::StatusOr<ParsedEvent> event =
      ParseSignedEvent(leaf.entry.signed_event(), trust_.ledger);
  if (!event.ok()) {
    // Perhaps an event of a later version: no accusation.
    Worsen(Unknown(absl::StrFormat("entry %d cannot be read: %s", leaf.index,
                                   std::string(event.status().message()))),
           &chains_);
    return;
  }
  if (static_cast<std::size_t>(leaf.entry.links_size()) != event->subjects.size()) {
    Worsen(False(absl::StrFormat("entry %d has %d links for %d subjects", leaf.index,
                                 leaf.entry.links_size(), event->subjects.size())),
           &chains_);
    return;
  }
  for (std::size_t i = 0; i < event->subjects.size(); ++i) {
    JudgeLink(leaf, event->subjects[i], leaf.entry.links(static_cast<int>(i)));
  }
  // Entry 0 enrols the key that signs it; it is trusted by its hash.
  if (leaf.index == 0) {
    Fold(leaf, *event);
    JudgeSignatures(leaf, *event);
  } else {
    JudgeSignatures(leaf, *event);
    Fold(leaf, *event);
  }
}

void ChainJudge::JudgeEnds() {
  for (const auto& [subject, indices] : contents_.chains) {
    const auto met = met_.find(subject);
    const std::size_t count = met == met_.end() ? 0 : met->second.first;
    if (count == indices.size()) {
      continue;
    }
    const BundleLeaf* leaf = contents_.Find(indices[count]);
    if (leaf == nullptr) {
      Worsen(Unknown(absl::StrFormat("the bundle lacks entry %d, position %d of %s", indices[count],
                                     count, Describe(subject))),
             &chains_);
    } else {
      Worsen(False(absl::StrFormat("entry %d is said to be position %d of %s and is not",
                                   indices[count], count, Describe(subject))),
             &chains_);
    }
  }
}

bool ChainJudge::IsSuspect(const SignedBy& signed_by) const {
  const auto state = states_->find(signed_by.signer);
  if (state == states_->end()) return false;
  const auto& keys = KeysOf(state->second);
  return std::any_of(keys.begin(), keys.end(), [&](const v1::KeyState& key) {
    return key.key_id() == signed_by.key_id && key.compromised_since_ms() != 0 &&
           key.compromised_since_ms() <= signed_by.recorded_at_ms;
  });
}

std::string ChainJudge::SuspectKeys() const {
  const auto is_suspect = [this](const SignedBy& one) { return IsSuspect(one); };
  const auto first = std::find_if(signed_.begin(), signed_.end(), is_suspect);
  if (first == signed_.end()) return std::string();
  return absl::StrFormat(
      "entry %d (%d in all) is signed by a key of %s that was revoked as compromised since then: "
      "that they signed it cannot be checked",
      first->index, std::count_if(first, signed_.end(), is_suspect), Describe(first->signer));
}

}  // namespace

void JudgeChains(const BundleContents& contents, const Trust& trust, FoldedStates* states,
                 StepLog* log) {
  if (contents.chains.empty()) {
    log->Add('B', "chains", Outcome::kCannotBeChecked, "the bundle names no subject");
    return;
  }
  ChainJudge judge(contents, trust, states);
  for (const BundleLeaf& leaf : contents.leaves) {
    judge.Take(leaf);
  }
  judge.JudgeEnds();
  Finding chains = judge.chains();
  const SubjectKey about = KeyOf(contents.bundle.subject());
  if (contents.bundle.has_subject() && contents.chains.find(about) == contents.chains.end()) {
    Worsen(Unknown(absl::StrFormat("the bundle is about %s and lacks its chain", Describe(about))),
           &chains);
  }
  if (chains.outcome == Outcome::kVerified) {
    chains.detail = absl::StrFormat("%d chains run without a gap from their first entry",
                                    contents.chains.size());
  }
  log->Add('B', "chains", chains.outcome, std::move(chains.detail));
  Finding signatures = judge.signatures();
  if (signatures.outcome == Outcome::kVerified) {
    signatures.detail = absl::StrFormat("%d signatures, each by a key enrolled at that moment",
                                        judge.signature_count());
  }
  log->Add('B', "signatures", signatures.outcome, std::move(signatures.detail));
  std::string suspects = judge.SuspectKeys();
  if (!suspects.empty()) {
    log->Add('B', "suspect keys", Outcome::kNotYetProven, std::move(suspects));
  }
}

}  // namespace custody

// Level A: every entry under a signed checkpoint, in one computation of the root.

#include <algorithm>
#include <bit>
#include <map>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/verify/bundle_contents.h"
#include "client/verify/range_roots.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"

namespace custody {
namespace {

std::optional<OpenedCheckpoint> JudgeCheckpoint(const BundleContents& contents, const Trust& trust,
                                                StepLog* log) {
  if (contents.bundle.ledger() != trust.ledger) {
    log->Add('A', "checkpoint", Outcome::kCannotBeChecked,
             absl::StrFormat("the bundle is of ledger '%s', the trust file is for '%s'",
                             contents.bundle.ledger(), trust.ledger));
    return std::nullopt;
  }
  absl::StatusOr<OpenedCheckpoint> opened =
      OpenTrustedCheckpoint(contents.bundle.checkpoint(), trust);
  if (!opened.ok()) {
    // Signed by a key that was retired before: true, but nobody vouches for it.
    const bool broken =
        absl::IsInternal(opened.status()) || absl::IsFailedPrecondition(opened.status());
    log->Add('A', "checkpoint", broken ? Outcome::kCannotBeChecked : Outcome::kProofFalse,
             absl::StrFormat("the checkpoint is not signed by a trusted log key: %s",
                             std::string(opened.status().message())));
    return std::nullopt;
  }
  log->Add('A', "checkpoint", Outcome::kVerified,
           absl::StrFormat("size %d, signed by %s", opened->checkpoint.size,
                           opened->log_signatures.front().name));
  return *std::move(opened);
}

// The auditors of the trust whose cosignatures are on the checkpoint.
std::vector<std::string> AttestedBy(const OpenedCheckpoint& opened, const Trust& trust) {
  std::vector<std::string> names;
  if (!trust.policy.has_value()) return names;
  for (const PolicyWitness& witness : trust.policy->witnesses) {
    const bool audits = std::find(trust.auditors.begin(), trust.auditors.end(), witness.name) !=
                        trust.auditors.end();
    const bool cosigned = std::any_of(opened.cosignatures.begin(), opened.cosignatures.end(),
                                      [&](const auto& cosignature) {
                                        return cosignature.name == witness.verifier.name() &&
                                               cosignature.key_id == witness.verifier.key_id();
                                      });
    if (audits && cosigned) names.push_back(witness.name);
  }
  return names;
}

void JudgeWitnesses(const OpenedCheckpoint& opened, const Trust& trust, std::int64_t now_ms,
                    VerificationReport* report, StepLog* log) {
  if (!trust.policy.has_value() || trust.policy->quorum.empty()) {
    log->Add('A', "witnesses", Outcome::kNotYetProven,
             "no quorum of witnesses is asked for: that there is no other history is the "
             "operator's word");
    return;
  }
  const std::optional<std::uint64_t> time = QuorumTime(*trust.policy, opened.cosignatures);
  if (!time.has_value()) {
    log->Add('A', "witnesses", Outcome::kCannotBeChecked,
             absl::StrFormat("%d known cosignatures do not meet the quorum '%s'",
                             opened.cosignatures.size(), trust.policy->quorum));
    return;
  }
  constexpr std::uint64_t kSecondsMax = 253'402'300'799;  // Year 9999: no overflow below.
  constexpr std::int64_t kClockSlackMs = 600'000;
  const auto seen_ms = static_cast<std::int64_t>(std::min(*time, kSecondsMax)) * 1000;
  report->witnessed_at_ms = seen_ms;
  const std::int64_t age_ms = now_ms - seen_ms;
  if (trust.maximum_age_ms > 0 && (age_ms > trust.maximum_age_ms || age_ms < -kClockSlackMs)) {
    log->Add('A', "witnesses", Outcome::kCannotBeChecked,
             absl::StrFormat("the quorum saw the checkpoint %d s before now, the limit is %d s",
                             age_ms / 1000, trust.maximum_age_ms / 1000));
    return;
  }
  log->Add('A', "witnesses", Outcome::kVerified,
           absl::StrFormat("attested by quorum '%s', %d s before now", trust.policy->quorum,
                           age_ms / 1000));
}

void JudgeRoot(const BundleContents& contents, const Checkpoint& checkpoint, StepLog* log) {
  if (contents.leaves.back().index >= checkpoint.size) {
    log->Add('A', "inclusion", Outcome::kProofFalse,
             absl::StrFormat("entry %d lies beyond the checkpoint's size %d",
                             contents.leaves.back().index, checkpoint.size));
    return;
  }
  RangeRoots roots(contents);
  const absl::Status readable = roots.ReadNodes();
  if (!readable.ok()) {
    log->Add('A', "inclusion", Outcome::kProofFalse, std::string(readable.message()));
    return;
  }
  const absl::StatusOr<Digest> root = roots.Root(0, checkpoint.size);
  if (!root.ok()) {
    log->Add('A', "inclusion", Outcome::kCannotBeChecked, std::string(root.status().message()));
  } else if (*root != checkpoint.root) {
    log->Add('A', "inclusion", Outcome::kProofFalse,
             absl::StrFormat("the entries lead to root %s, the checkpoint has %s", root->ToHex(),
                             checkpoint.root.ToHex()));
  } else {
    log->Add('A', "inclusion", Outcome::kVerified,
             absl::StrFormat("all %d entries are in the log", contents.leaves.size()));
  }
}

void JudgeBeginning(const BundleContents& contents, const Trust& trust, StepLog* log) {
  const BundleLeaf& first = contents.leaves.front();
  if (first.index != 0) {
    log->Add('A', "ledger", Outcome::kCannotBeChecked,
             "the bundle lacks entry 0, by which the ledger is known");
  } else if (first.leaf_hash != trust.entry0_leaf_hash) {
    log->Add(
        'A', "ledger", Outcome::kProofFalse,
        absl::StrFormat("entry 0 has leaf hash %s, trusted is %s: another log of the same name",
                        first.leaf_hash.ToHex(), trust.entry0_leaf_hash.ToHex()));
  } else {
    log->Add('A', "ledger", Outcome::kVerified, "entry 0 is the trusted one");
  }
}

// The seal is the last leaf of the checkpoint; it holds the root of the subject index.
void JudgeSeal(const BundleContents& contents, const Checkpoint& checkpoint, StepLog* log) {
  const BundleLeaf& last = contents.leaves.back();
  if (contents.bundle.seal_index() != checkpoint.size - 1) {
    log->Add('C', "seal", Outcome::kProofFalse,
             absl::StrFormat("the seal is said to be entry %d, the last of the checkpoint is %d",
                             contents.bundle.seal_index(), checkpoint.size - 1));
  } else if (last.index != checkpoint.size - 1) {
    log->Add('C', "seal", Outcome::kCannotBeChecked, "the bundle lacks the seal");
  } else if (!last.entry.has_seal() ||
             last.entry.seal().index_root().size() != Digest::kSizeBytes) {
    log->Add('C', "seal", Outcome::kProofFalse,
             absl::StrFormat("entry %d, the last, is no seal", last.index));
  } else {
    log->Add('C', "seal", Outcome::kVerified,
             absl::StrFormat("entry %d seals an index of %d subjects", last.index,
                             last.entry.seal().subject_count()));
  }
}

}  // namespace

void JudgeInclusion(const BundleContents& contents, const Trust& trust, std::int64_t now_ms,
                    VerificationReport* report, StepLog* log) {
  const std::optional<OpenedCheckpoint> opened = JudgeCheckpoint(contents, trust, log);
  if (!opened.has_value()) {
    return;
  }
  report->tree_size = opened->checkpoint.size;
  report->attested_by = AttestedBy(*opened, trust);
  JudgeWitnesses(*opened, trust, now_ms, report, log);
  if (opened->checkpoint.size == 0) {
    log->Add('A', "inclusion", Outcome::kProofFalse, "the checkpoint is of an empty log");
    return;
  }
  JudgeRoot(contents, opened->checkpoint, log);
  JudgeBeginning(contents, trust, log);
  JudgeSeal(contents, opened->checkpoint, log);
}

}  // namespace custody

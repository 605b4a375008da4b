// Level C: nothing about the carried subjects was left out. The seal of the checkpoint holds the
// root of the subject index; a proof from it gives the number of entries of a subject and the
// newest of them, or shows that there is no such subject. So a chain that ends too early is seen.

#include <map>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/verify/bundle_contents.h"
#include "crypto/index_proof.h"
#include "lifecycle/index_proof_message.h"

namespace custody {
namespace {

// What the index says of a subject; nullopt: it does not know it.
using Indexed = std::optional<IndexValue>;

class IndexJudge {
 public:
  explicit IndexJudge(const BundleContents& contents)
      : contents_(contents),
        root_(*Digest::FromBytes(contents.leaves.back().entry.seal().index_root())) {}

  // Errors: kInvalidArgument or kUnauthenticated naming the proof that is wrong.
  absl::Status ReadProofs();

  // Judges the chain of one subject; the first thing wrong goes to `detail`.
  Outcome JudgeChain(const SubjectKey& subject, const std::vector<std::uint64_t>& indices,
                     std::string* detail) const;

 private:
  const BundleContents& contents_;
  const Digest root_;
  std::map<SubjectKey, Indexed> indexed_;
};

absl::Status IndexJudge::ReadProofs() {
  for (const v1::IndexProof& source : contents_.bundle.index_proofs()) {
    const SubjectKey subject = KeyOf(source.subject());
    CUSTODY_RETURN_IF_ERROR(ValidateSubjectId(subject.kind, subject.id));
    const Digest key = IndexKeyOf(subject);
    const absl::StatusOr<IndexProof> proof = FromMessage(source);
    const absl::StatusOr<Indexed> value =
        proof.ok() ? VerifyIndexProof(root_, key, *proof) : proof.status();
    if (!value.ok()) {
      return absl::Status(value.status().code(),
                          absl::StrFormat("the index proof of %s: %s", Describe(subject),
                                          std::string(value.status().message())));
    }
    if (!indexed_.emplace(subject, *value).second) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s has two index proofs", Describe(subject)));
    }
  }
  return absl::OkStatus();
}

Outcome IndexJudge::JudgeChain(const SubjectKey& subject, const std::vector<std::uint64_t>& indices,
                               std::string* detail) const {
  const auto found = indexed_.find(subject);
  if (found == indexed_.end()) {
    *detail = absl::StrFormat("the bundle has no index proof of %s: entries may be left out",
                              Describe(subject));
    return Outcome::kCannotBeChecked;
  }
  const Indexed& value = found->second;
  const std::uint64_t count = value.has_value() ? value->event_count : 0;
  if (count > indices.size()) {
    *detail =
        absl::StrFormat("the index counts %d entries of %s, the bundle carries %d: %d withheld",
                        count, Describe(subject), indices.size(), count - indices.size());
    return Outcome::kProofFalse;
  }
  if (count < indices.size()) {
    *detail = absl::StrFormat("the index counts %d entries of %s, the bundle carries %d", count,
                              Describe(subject), indices.size());
    return Outcome::kProofFalse;
  }
  if (count == 0) return Outcome::kVerified;
  const BundleLeaf* const head = contents_.Find(indices.back());
  if (head == nullptr) {
    *detail = absl::StrFormat("the bundle lacks entry %d, the head of %s", indices.back(),
                              Describe(subject));
    return Outcome::kCannotBeChecked;
  }
  if (head->leaf_hash != value->head) {
    *detail = absl::StrFormat("the index names another entry than %d as the newest of %s",
                              indices.back(), Describe(subject));
    return Outcome::kProofFalse;
  }
  return Outcome::kVerified;
}

// The index is true if somebody has recomputed it; else it is what the operator states.
std::string WhoseWord(const std::vector<std::string>& attested_by) {
  if (attested_by.empty()) {
    return "operator-asserted: no auditor named in the trust has cosigned this checkpoint";
  }
  std::string names;
  for (const std::string& name : attested_by) names += (names.empty() ? "" : ", ") + name;
  return "attested by " + names;
}

}  // namespace

void JudgeCompleteness(const BundleContents& contents, const VerificationReport& report,
                       StepLog* log) {
  IndexJudge judge(contents);
  const absl::Status proofs = judge.ReadProofs();
  if (!proofs.ok()) {
    log->Add('C', "index", Outcome::kProofFalse, std::string(proofs.message()));
    return;
  }
  if (contents.chains.empty()) {
    log->Add('C', "index", Outcome::kCannotBeChecked, "the bundle names no subject");
    return;
  }
  Outcome worst = Outcome::kVerified;
  std::string detail;
  std::size_t absent = 0;
  for (const auto& [subject, indices] : contents.chains) {
    std::string found;
    const Outcome outcome = judge.JudgeChain(subject, indices, &found);
    if (indices.empty()) ++absent;
    if (outcome > worst) {
      worst = outcome;
      detail = std::move(found);
    }
  }
  if (worst == Outcome::kVerified) {
    detail = absl::StrFormat(
        "the index proves that these are all entries of %d subjects and that %d do not exist; %s",
        contents.chains.size() - absent, absent, WhoseWord(report.attested_by));
  }
  log->Add('C', "index", worst, std::move(detail));
}

}  // namespace custody

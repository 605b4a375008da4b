// A bundle after its form was checked: entries parsed, hashed and found by index. Private to
// client/verify.
//
// Threads: values and pure functions.

#ifndef CUSTODY_CLIENT_VERIFY_BUNDLE_CONTENTS_H_
#define CUSTODY_CLIENT_VERIFY_BUNDLE_CONTENTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/verify/bundle_verifier.h"
#include "crypto/digest.h"
#include "custody/v1/bundle.pb.h"
#include "custody/v1/record.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/subject.h"

namespace custody {

struct BundleLeaf {
  std::uint64_t index = 0;
  v1::Entry entry;
  Digest leaf_hash;
};

struct BundleContents {
  v1::Bundle bundle;
  // In the order of their indices, each index once.
  std::vector<BundleLeaf> leaves;
  // Chains that the bundle says it carries, by subject: indices from position 0.
  std::map<SubjectKey, std::vector<std::uint64_t>> chains;

  // The leaf at an index; nullptr if the bundle does not carry it.
  const BundleLeaf* Find(std::uint64_t index) const;
};

// Errors: kInvalidArgument if the bytes are no bundle, empty or over a limit.
absl::StatusOr<v1::Bundle> ParseBundle(std::string_view bytes);

// "2026-11-02T01:30:00.000Z".
std::string UtcText(std::int64_t utc_ms);

// What a step found. Steps never throw a judgement away: they append and go on where they can.
class StepLog {
 public:
  explicit StepLog(VerificationReport* report) : report_(report) {}
  void Add(char level, std::string_view id, Outcome outcome, std::string detail);

 private:
  VerificationReport* report_;
};

// Fills leaves and chains; entries must be strictly encoded, ascending, with times that never go
// back. False: the rest cannot be judged.
bool ReadContents(BundleContents* contents, StepLog* log);

// Level A: adds the steps "checkpoint", "witnesses", "inclusion", "ledger"; level C: "seal".
void JudgeInclusion(const BundleContents& contents, const Trust& trust, std::int64_t now_ms,
                    VerificationReport* report, StepLog* log);

// Level A: adds the step "timestamp" about the named answer, else about the one that the bundle
// carries, if there is one.
void JudgeTimestamp(const BundleContents& contents, const Trust& trust, std::string_view named,
                    VerificationReport* report, StepLog* log);

// Level C: adds the step "index". Requires that the step "seal" was verified; says who attests.
void JudgeCompleteness(const BundleContents& contents, const VerificationReport& report,
                       StepLog* log);

// The states of all carried subjects after their last carried entry.
using FoldedStates = std::map<SubjectKey, v1::SubjectState>;

// Level B: adds the steps "chains" and "signatures" and folds the states on the way.
void JudgeChains(const BundleContents& contents, const Trust& trust, FoldedStates* states,
                 StepLog* log);

// Level D: adds the steps "question" and "moment": whether the verdict, once it was recomputed,
// answers for the subject of the bundle and for the moment that the report names.
void JudgeUse(const v1::Bundle& bundle, const v1::Verdict& verdict, VerificationReport* report,
              StepLog* log);

// Level D: adds the step "verdict", and those of JudgeUse() if there is one.
void JudgeVerdict(const BundleContents& contents, const FoldedStates& states,
                  VerificationReport* report, StepLog* log);

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_BUNDLE_CONTENTS_H_

// Level D: the verdict again, from the folded states, by the rules of this program.

#include <algorithm>
#include <set>

#include "absl/strings/str_format.h"
#include "client/verify/bundle_contents.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/refusal.h"
#include "lifecycle/state_view.h"
#include "lifecycle/verdict.h"

namespace custody {
namespace {

// The carried subjects as the rules read them; remembers what was asked for and is not there.
class BundleView : public StateView {
 public:
  BundleView(const BundleContents& contents, const FoldedStates& states)
      : contents_(contents), states_(states) {}

  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override {
    const auto chain = contents_.chains.find(key);
    if (chain == contents_.chains.end()) {
      missing_.insert(key);
      return RefusalStatus(absl::StatusCode::kFailedPrecondition, v1::REASON_CODE_E_MISSING,
                           absl::StrFormat("the bundle lacks %s", Describe(key)),
                           "export the bundle again from the ledger");
    }
    const auto state = states_.find(key);
    if (chain->second.empty() || state == states_.end()) {
      return nullptr;  // The bundle says that the log does not know it.
    }
    return &state->second;
  }

  const std::set<SubjectKey>& missing() const { return missing_; }

 private:
  const BundleContents& contents_;
  const FoldedStates& states_;
  mutable std::set<SubjectKey> missing_;
};

bool SameCheck(const v1::Check& a, const v1::Check& b) {
  // Title, detail and remedy are words and may differ between releases of the same rules.
  return a.id() == b.id() && a.result() == b.result() && a.code() == b.code() &&
         KeyOf(a.subject()) == KeyOf(b.subject()) &&
         std::equal(a.evidence().begin(), a.evidence().end(), b.evidence().begin(),
                    b.evidence().end());
}

// The first difference between the stated and the recomputed verdict; empty if there is none.
std::string Difference(const v1::Verdict& stated, const v1::Verdict& computed) {
  if (stated.value() != computed.value()) {
    return absl::StrFormat("stated %s, the rules give %s", EnumLabel(stated.value()),
                           EnumLabel(computed.value()));
  }
  if (stated.checks_size() != computed.checks_size()) {
    return absl::StrFormat("stated %d checks, the rules make %d", stated.checks_size(),
                           computed.checks_size());
  }
  for (int i = 0; i < stated.checks_size(); ++i) {
    if (!SameCheck(stated.checks(i), computed.checks(i))) {
      return absl::StrFormat("check '%s' is stated %s, the rules give '%s' %s",
                             stated.checks(i).id(), EnumLabel(stated.checks(i).result()),
                             computed.checks(i).id(), EnumLabel(computed.checks(i).result()));
    }
  }
  if (stated.as_of_ms() != computed.as_of_ms() ||
      stated.valid_until_ms() != computed.valid_until_ms()) {
    return "the moment or the end of the verdict differ";
  }
  if (stated.policy_hash() != computed.policy_hash()) {
    return "the verdict names another policy than the one in force";
  }
  return std::string();
}

void Compare(const BundleContents& contents, std::uint64_t tree_size, const v1::Verdict& computed,
             StepLog* log) {
  if (!contents.bundle.has_verdict()) {
    log->Add('D', "verdict", Outcome::kVerified,
             "the bundle states no verdict; the one below was computed here");
    return;
  }
  const v1::Verdict& stated = contents.bundle.verdict();
  if (stated.rules_version() != kRulesVersion) {
    log->Add('D', "verdict", Outcome::kCannotBeChecked,
             absl::StrFormat("stated by rules version %d, this program has version %d",
                             stated.rules_version(), kRulesVersion));
    return;
  }
  std::string difference =
      stated.tree_size() != tree_size
          ? absl::StrFormat("stated for a log of size %d, the checkpoint has %d",
                            stated.tree_size(), tree_size)
          : Difference(stated, computed);
  if (!difference.empty()) {
    log->Add('D', "verdict", Outcome::kProofFalse, std::move(difference));
    return;
  }
  log->Add('D', "verdict", Outcome::kVerified,
           absl::StrFormat("%s, recomputed from the signed events by rules version %d",
                           EnumLabel(computed.value()), kRulesVersion));
}

}  // namespace

void JudgeVerdict(const BundleContents& contents, const FoldedStates& states,
                  VerificationReport* report, StepLog* log) {
  v1::VerdictRequest request = contents.bundle.request();
  if (request.container_ids().empty()) {
    const bool stated = contents.bundle.has_verdict();
    log->Add(
        'D', "verdict", stated ? Outcome::kProofFalse : Outcome::kNotYetProven,
        stated ? "a verdict without the question that it answers" : "the bundle asks no question");
    return;
  }
  if (contents.bundle.has_verdict()) {
    request.set_at_ms(contents.bundle.verdict().as_of_ms());
  }
  if (request.at_ms() == 0) {
    log->Add('D', "verdict", Outcome::kCannotBeChecked, "the question names no moment");
    return;
  }
  const BundleView view(contents, states);
  absl::StatusOr<v1::Verdict> computed = ComputeVerdict(view, request, report->tree_size);
  if (!view.missing().empty()) {
    log->Add('D', "verdict", Outcome::kCannotBeChecked,
             absl::StrFormat("the rules read %s, which the bundle lacks (%d in all)",
                             Describe(*view.missing().begin()), view.missing().size()));
    return;
  }
  if (!computed.ok()) {
    log->Add('D', "verdict", Outcome::kCannotBeChecked, std::string(computed.status().message()));
    return;
  }
  Compare(contents, report->tree_size, *computed, log);
  JudgeUse(contents.bundle, *computed, report, log);
  report->verdict = *std::move(computed);
}

}  // namespace custody

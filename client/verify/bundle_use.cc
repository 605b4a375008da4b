// Level D: whether the verdict is about the subject of the bundle, and holds at the judged moment.

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "client/verify/bundle_contents.h"

namespace custody {
namespace {

bool IsGo(const v1::Verdict& verdict) {
  return verdict.value() == v1::VERDICT_VALUE_GO ||
         verdict.value() == v1::VERDICT_VALUE_GO_WITH_WARNINGS;
}

void JudgeQuestion(const v1::Bundle& bundle, const v1::Verdict& verdict, StepLog* log) {
  const auto& asked = verdict.request().container_ids();
  const bool names_container = bundle.subject().kind() == v1::SUBJECT_KIND_CONTAINER;
  if (names_container &&
      std::find(asked.begin(), asked.end(), bundle.subject().id()) == asked.end()) {
    log->Add('D', "question", Outcome::kCannotBeChecked,
             absl::StrFormat("the bundle is about %s, the verdict is about other containers",
                             Describe(KeyOf(bundle.subject()))));
    return;
  }
  log->Add('D', "question", Outcome::kVerified,
           absl::StrFormat("the verdict is about %d containers%s", asked.size(),
                           names_container ? ", the one of the bundle among them" : ""));
}

void JudgeMoment(const v1::Verdict& verdict, const VerificationReport& report, StepLog* log) {
  const std::string judged =
      absl::StrFormat("%s, %s", UtcText(report.judged_at_ms),
                      report.moment_was_given ? "the moment that was asked for" : "now");
  const std::int64_t ahead_ms_max = report.moment_was_given ? 0 : kVerdictAheadMsMax;
  if (verdict.as_of_ms() > report.judged_at_ms + ahead_ms_max) {
    log->Add('D', "moment", Outcome::kCannotBeChecked,
             absl::StrFormat("the verdict is of %s and says nothing about %s",
                             UtcText(verdict.as_of_ms()), judged));
    return;
  }
  const bool ends = IsGo(verdict) && verdict.valid_until_ms() != 0;
  if (ends && verdict.valid_until_ms() < report.judged_at_ms) {
    log->Add('D', "moment", Outcome::kCannotBeChecked,
             absl::StrFormat("the verdict ended at %s and says nothing about %s",
                             UtcText(verdict.valid_until_ms()), judged));
    return;
  }
  log->Add('D', "moment", Outcome::kVerified,
           absl::StrFormat("as of %s%s; judged for %s", UtcText(verdict.as_of_ms()),
                           ends ? ", until " + UtcText(verdict.valid_until_ms()) : "", judged));
}

}  // namespace

std::string UtcText(std::int64_t utc_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(utc_ms),
                          absl::UTCTimeZone());
}

void JudgeUse(const v1::Bundle& bundle, const v1::Verdict& verdict, VerificationReport* report,
              StepLog* log) {
  report->as_of_ms = verdict.as_of_ms();
  report->valid_until_ms = verdict.valid_until_ms();
  JudgeQuestion(bundle, verdict, log);
  JudgeMoment(verdict, *report, log);
}

}  // namespace custody

// The steps of a case: each document of a file is one of these.
//
// Every function returns an error for a document that is not understood, and writes a failure for
// an expectation that does not hold.
//
// Threads: one.

#ifndef CUSTODY_TESTS_CASES_RUNNER_CASE_STEPS_H_
#define CUSTODY_TESTS_CASES_RUNNER_CASE_STEPS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/cases/runner/case_node.h"
#include "tests/cases/runner/case_world.h"

namespace custody {

struct StepResult {
  std::vector<std::string> failures;
  // The case cannot go on: what should be on record is not, or the other way round.
  bool stop = false;

  void Fail(const CaseNode& node, const std::string& what);
};

// --- case_events.cc
// `event: ...`: a draft, with `refused`, `findings`, `consequences`, `recorded`, `signed`.
absl::Status PlayEvent(const CaseNode& node, CaseWorld* world, StepResult* result);
// `cosign: name`: the signature that a recorded event still lacked (SignatureAdded).
absl::Status PlayCosign(const CaseNode& node, CaseWorld* world, StepResult* result);
// `attest: name`: quality assurance says that an event is true (Attested).
absl::Status PlayAttest(const CaseNode& node, CaseWorld* world, StepResult* result);

// --- case_questions.cc
// `verify: STAGE`: the question of the bedside, and its verdict.
absl::Status PlayVerify(const CaseNode& node, CaseWorld* world, StepResult* result);
// `state: kind:@name`: values of a state.
absl::Status PlayState(const CaseNode& node, CaseWorld* world, StepResult* result);
// `scan: text` and `keyboard: text`: what a scanner sends, what a person types.
absl::Status PlayScan(const CaseNode& node, CaseWorld* world, StepResult* result);
absl::Status PlayKeyboard(const CaseNode& node, CaseWorld* world, StepResult* result);

// --- case_setting.cc
// `people:` and `devices:`: who can sign from now on.
absl::Status PlayPeople(const CaseNode& node, CaseWorld* world, StepResult* result);
absl::Status PlayDevices(const CaseNode& node, CaseWorld* world, StepResult* result);
// `policy: @product`: the policy of the quickstart, with changes, comes into force.
absl::Status PlayPolicy(const CaseNode& node, CaseWorld* world, StepResult* result);
// `clock: time` and `advance: duration`.
absl::Status PlayClock(const CaseNode& node, CaseWorld* world, StepResult* result);
absl::Status PlayAdvance(const CaseNode& node, CaseWorld* world, StepResult* result);

}  // namespace custody

#endif  // CUSTODY_TESTS_CASES_RUNNER_CASE_STEPS_H_

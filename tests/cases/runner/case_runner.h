// Plays a case file: events in, verdicts and findings out (tests/cases/README.md has the format).
//
// What is not said must not happen: an event without `findings` is recorded without any, one
// without `refused` is recorded, a verdict without `failed` has no failed check.
//
// Threads: one.

#ifndef CUSTODY_TESTS_CASES_RUNNER_CASE_RUNNER_H_
#define CUSTODY_TESTS_CASES_RUNNER_CASE_RUNNER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace custody {

struct CaseReport {
  std::string title;
  // Documents played, those of the starting point included.
  int steps = 0;
  // Each "file:line: what was expected and what came". Empty: the case holds.
  std::vector<std::string> failures;
};

// Plays a file with those that it starts from (paths relative to the file). Stops where an event is
// refused that should be recorded, or the other way round; other failures are collected.
// Errors: kInvalidArgument "file:line:column: what is wrong" for anything in a file that is not
// understood; kNotFound for a file or a name.
absl::StatusOr<CaseReport> RunCaseFile(const std::string& path);

// The same for a text; `file` stands in messages, and files are relative to it.
absl::StatusOr<CaseReport> RunCaseText(std::string_view text, const std::string& file);

}  // namespace custody

#endif  // CUSTODY_TESTS_CASES_RUNNER_CASE_RUNNER_H_

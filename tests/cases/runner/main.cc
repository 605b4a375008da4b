// custody_case FILE...: plays case files and says of each whether it holds.
//
// Exit 0 when all hold, 1 when one does not, 2 when one cannot be read.

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "tests/cases/runner/case_runner.h"

namespace {

int PlayFile(const std::string& path) {
  const absl::StatusOr<custody::CaseReport> report = custody::RunCaseFile(path);
  if (!report.ok()) {
    absl::PrintF("%s\n", report.status().message());
    return 2;
  }
  for (const std::string& failure : report->failures) absl::PrintF("%s\n", failure);
  absl::PrintF("%s: %s (%d steps)\n", report->failures.empty() ? "holds" : "FAILS", report->title,
               report->steps);
  return report->failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    absl::PrintF("usage: custody_case FILE...  (tests/cases/README.md)\n");
    return 2;
  }
  int worst = 0;
  for (int i = 1; i < argc; ++i) worst = std::max(worst, PlayFile(argv[i]));
  return worst;
}

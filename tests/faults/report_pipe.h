// What a child process tells its parent: lines of bytes that arrive whole or not at all, also when
// the child dies.
//
// Threads: Say() from any thread of the child; Read() in the parent.
// Limits:  1 MiB a report.

#ifndef CUSTODY_TESTS_FAULTS_REPORT_PIPE_H_
#define CUSTODY_TESTS_FAULTS_REPORT_PIPE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace custody {

enum class ReportKind : char {
  kBegan = 'B',    // The ledger was made.
  kReceipt = 'R',  // Number of the event u32, receipt.
  kFailed = 'F',   // The first event that was not recorded, why.
  kRefused = 'E',  // The ledger could not be opened, why.
  kProblem = 'P',  // A broken promise, in words.
};

struct Report {
  ReportKind kind = ReportKind::kProblem;
  std::string text;
};

class ReportPipe {
 public:
  // Stops the process if there is no pipe to be had.
  ReportPipe();
  ~ReportPipe();
  ReportPipe(const ReportPipe&) = delete;
  ReportPipe& operator=(const ReportPipe&) = delete;

  // The child, and the parent, after the fork.
  void BecomeChild();
  void BecomeParent();

  void Say(ReportKind kind, std::string_view text);
  // Waits; nullopt when the child has ended.
  std::optional<Report> Read();

 private:
  void Close(int* end);
  bool ReadExactly(char* bytes, std::size_t count);

  Mutex mutex_;
  int read_end_ = -1;
  int write_end_ = -1;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_FAULTS_REPORT_PIPE_H_

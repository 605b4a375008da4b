// The result of a run for people and for programs.

#ifndef CUSTODY_TESTS_BENCH_BENCH_REPORT_H_
#define CUSTODY_TESTS_BENCH_BENCH_REPORT_H_

#include "tests/bench/bench_run.h"

namespace custody {

void PrintTable(const BenchOptions& options, const BenchReport& report);
// One line.
void PrintJson(const BenchOptions& options, const BenchReport& report);

}  // namespace custody

#endif  // CUSTODY_TESTS_BENCH_BENCH_REPORT_H_

// A verdict as a clinician reads it: one large word, then every check,
// those that speak against the dose first.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_VERDICT_TEXT_H_
#define CUSTODY_CLIENT_CLI_VERDICT_TEXT_H_

#include "client/cli/session.h"
#include "custody/v1/verdict.pb.h"

namespace custody {

void PrintVerdict(Session& session, const v1::Verdict& verdict);

// GO and GO_WITH_WARNINGS: 0; NO_GO: 1; everything else: 3.
int ExitCodeOfVerdict(const v1::Verdict& verdict);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_VERDICT_TEXT_H_

// The steps of an audit, for tests that kill the process behind one.

#ifndef CUSTODY_DAEMON_WITNESS_AUDIT_STEP_H_
#define CUSTODY_DAEMON_WITNESS_AUDIT_STEP_H_

#include <functional>

namespace custody {

enum class AuditStep {
  kJudged,        // A replay has found everything true; nothing of it is synced.
  kConfirmed,     // It is synced; nothing is cosigned.
  kSuspected,     // The bytes that the first replay found false are kept; the second one comes.
  kEntryKept,     // The second one has found it false too; its bytes are kept, the finding is not.
  kEvidenceKept,  // The finding is kept; nobody has heard of it.
};

// Called on the thread of the auditor.
using AuditStepHook = std::function<void(AuditStep step)>;

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_AUDIT_STEP_H_

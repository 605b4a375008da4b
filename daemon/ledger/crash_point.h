// Named steps of the write path at which a test lets the process die (tests/crash).
//
// In a build with CUSTODY_CRASH_POINTS, CUSTODYD_CRASH_POINT="name:N" raises SIGKILL when the step
// is passed for the N-th time. In any other build, a release among them, a step is no instruction.
//
// Threads: any.

#ifndef CUSTODY_DAEMON_LEDGER_CRASH_POINT_H_
#define CUSTODY_DAEMON_LEDGER_CRASH_POINT_H_

#include <array>
#include <string_view>

namespace custody {

// Every step, in the order in which an event passes them.
inline constexpr std::array<std::string_view, 12> kCrashPoints = {
    "admitted",   // in the queue
    "verified",   // its signatures were checked
    "planned",    // its entry is in the open batch
    "sealed",     // the batch is closed
    "taken",      // the committer has it
    "written",    // the synced write has returned
    "signed",     // so has the signature of the checkpoint
    "published",  // readers see it
    "answering",  // before an answer
    "answered",   // after the last answer of the batch
    "anchoring",  // the anchor's new file is synced, the old one still in place
    "anchored",   // the new one is in place
};

#ifdef CUSTODY_CRASH_POINTS
void CrashPoint(std::string_view name);
#else
inline void CrashPoint(std::string_view) {}
#endif

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_CRASH_POINT_H_

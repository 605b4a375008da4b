// Signals as something that the main thread asks for.
//
// Threads: BlockSignals() before any other thread exists; WaitForSignal() on the main thread.

#ifndef CUSTODY_DAEMON_SIGNALS_H_
#define CUSTODY_DAEMON_SIGNALS_H_

namespace custody {

// SIGINT, SIGTERM and SIGHUP are from now on only seen by WaitForSignal(); SIGPIPE is ignored.
void BlockSignals();

// The number of a blocked signal that has come, or 0 after the timeout.
int WaitForSignal(int timeout_ms);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SIGNALS_H_

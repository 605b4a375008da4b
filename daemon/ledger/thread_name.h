// The name of the calling thread, as tools that look at processes show it.

#ifndef CUSTODY_DAEMON_LEDGER_THREAD_NAME_H_
#define CUSTODY_DAEMON_LEDGER_THREAD_NAME_H_

#include <pthread.h>

namespace custody {

// At most 15 bytes; a longer name is not taken.
inline void NameThread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_THREAD_NAME_H_

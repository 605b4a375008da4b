// Sockets on 127.0.0.1 for the proxies of tests.
//
// Threads: any.

#ifndef CUSTODY_TESTS_SUPPORT_LOOPBACK_H_
#define CUSTODY_TESTS_SUPPORT_LOOPBACK_H_

#include <cstdint>

namespace custody {

// A socket bound to a free port, which is written to `port`; it does not listen yet. The caller
// closes it. Stops the process if there is none.
int BindLoopback(std::uint16_t* port);

// A new socket, connected to `port` if *connected says so. The caller closes it.
int ConnectLoopback(std::uint16_t port, bool* connected);

// Moves what is there from one socket to the other, all of it. False when either has ended.
bool MoveBytes(int from, int to);

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_LOOPBACK_H_

// A gRPC channel that is connected when a test gets it.
//
// A stub's call fails when the first try to connect does, and gRPC 1.51 can report one that is
// under way as failed: it reads errno after calls of its own that may have changed it. A client
// tries again (connection.h); a test that takes one answer as it comes needs the connection first.

#ifndef CUSTODY_TESTS_SUPPORT_CONNECTED_CHANNEL_H_
#define CUSTODY_TESTS_SUPPORT_CONNECTED_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>

namespace custody {

// Waits at most 10 s: a server that is not there then shows in the first call.
inline std::shared_ptr<grpc::Channel> Connected(std::shared_ptr<grpc::Channel> channel) {
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return channel;
}

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_CONNECTED_CHANNEL_H_

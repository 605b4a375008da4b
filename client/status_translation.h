// From the status of a gRPC call to absl::Status with its refusal, and what may be tried again.
// Private to client/.
//
// Threads: pure functions.

#ifndef CUSTODY_CLIENT_STATUS_TRANSLATION_H_
#define CUSTODY_CLIENT_STATUS_TRANSLATION_H_

#include <chrono>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace custody {

// The same code and message; the Refusal of the details becomes the payload kRefusalTypeUrl.
// Details that are malformed are left out: the code alone decides what to do.
absl::Status FromGrpc(const grpc::Status& status);

// The status of one event of a stream. A code of 0 is kInternal: whoever calls has seen no receipt.
absl::Status FromStreamAnswer(std::int32_t code, std::string_view message,
                              std::string_view refusal);

// The same request may be sent again, as it is: kUnavailable, kDeadlineExceeded (of one try), and
// kResourceExhausted when the refusal says when.
bool MayTryAgain(const absl::Status& status);

// How long the refusal asks to wait; zero if it does not say. At most one hour.
std::chrono::milliseconds RetryAfter(const absl::Status& status);

}  // namespace custody

#endif  // CUSTODY_CLIENT_STATUS_TRANSLATION_H_

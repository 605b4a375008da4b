// How far away a time or a duration may be: whatever the rules add up stays far from the end of 64
// bits.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_TIME_RANGE_H_
#define CUSTODY_LIFECYCLE_TIME_RANGE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace custody {

// Milliseconds from 1970 to the end of the year 9999, in both directions.
inline constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;

constexpr bool IsTimeInRange(std::int64_t ms) { return ms >= -kTimeMsMax && ms <= kTimeMsMax; }

// OK if every field of 64 bits that is named "*_ms", at any depth, is in range.
// Errors: kInvalidArgument naming the field.
absl::Status CheckTimesInRange(const google::protobuf::Message& message);

// The same for one field of the message; OK for a field that holds no time.
absl::Status CheckTimeField(const google::protobuf::Message& message,
                            const google::protobuf::FieldDescriptor& field);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_TIME_RANGE_H_

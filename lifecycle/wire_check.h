// The strict encoding of everything that is signed or hashed.
//
// One message has one encoding: fields in ascending order of their numbers, none twice (but
// repeated ones), packed where proto3 packs, no unknown field, no unknown enum value, minimal
// varints, no implicit-presence field with its default value, valid UTF-8, groups and maps refused,
// nesting at most 32. So a parser never sees what another parser would read differently.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_WIRE_CHECK_H_
#define CUSTODY_LIFECYCLE_WIRE_CHECK_H_

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"

namespace custody {

// Errors: kInvalidArgument naming the field and the byte offset.
absl::Status CheckStrictEncoding(std::string_view bytes,
                                 const google::protobuf::Descriptor& descriptor);

// Shortest forms, no surrogates (RFC 3629).
bool IsUtf8(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_WIRE_CHECK_H_

// The name of a subject: what kind it is and which one.

#ifndef CUSTODY_LIFECYCLE_SUBJECT_H_
#define CUSTODY_LIFECYCLE_SUBJECT_H_

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "crypto/digest.h"
#include "custody/v1/types.pb.h"
#include "custody/v1/vocabulary.pb.h"

namespace custody {

// A subject by kind and id. Orders by kind, then by the bytes of the id.
struct SubjectKey {
  v1::SubjectKind kind = v1::SUBJECT_KIND_UNSPECIFIED;
  std::string id;

  friend bool operator==(const SubjectKey&, const SubjectKey&) = default;
  friend std::strong_ordering operator<=>(const SubjectKey& a, const SubjectKey& b) {
    if (a.kind != b.kind) return a.kind <=> b.kind;
    return a.id.compare(b.id) <=> 0;
  }
  template <typename H>
  friend H AbslHashValue(H h, const SubjectKey& key) {
    return H::combine(std::move(h), static_cast<int>(key.kind), key.id);
  }
};

// The key of a reference, whatever its role.
SubjectKey KeyOf(const v1::SubjectRef& ref);
v1::SubjectRef RefOf(const SubjectKey& key, v1::SubjectRole role = v1::SUBJECT_ROLE_UNSPECIFIED);

// The kind's name in the subject index: "donor", "container".
std::string_view KindName(v1::SubjectKind kind);

// Key in the subject index: SHA-256(kind name || 0x00 || id).
Digest IndexKeyOf(const SubjectKey& key);

// For people: "container 4f1c...", whole id in hexadecimal; identifiers as their text.
std::string Describe(const SubjectKey& key);

// Length and form of an id: 16 bytes; identifier: 3 to 128 printable ASCII bytes with a scheme and
// a colon; series: 16 bytes and "YYYY-MM". Errors: kInvalidArgument naming the kind and the length.
absl::Status ValidateSubjectId(v1::SubjectKind kind, std::string_view id);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_SUBJECT_H_

// Proofs over the subject index as messages of a bundle.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_INDEX_PROOF_MESSAGE_H_
#define CUSTODY_LIFECYCLE_INDEX_PROOF_MESSAGE_H_

#include "absl/status/statusor.h"
#include "crypto/index_proof.h"
#include "custody/v1/bundle.pb.h"
#include "lifecycle/subject.h"

namespace custody {

v1::IndexProof ToMessage(const SubjectKey& subject, const IndexProof& proof);

// The proof for the subject that the message names; whether it is true is another question.
// Errors: kInvalidArgument if hashes have a wrong length, depth and hashes differ in number, or it
//         names a leaf of the subject and another one, or one that is neither.
absl::StatusOr<IndexProof> FromMessage(const v1::IndexProof& message);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_INDEX_PROOF_MESSAGE_H_

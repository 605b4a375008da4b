// Is this receipt true? Used by the client for every receipt and by everybody who was handed one.
//
// Threads: pure functions.

#ifndef CUSTODY_CLIENT_VERIFY_RECEIPT_VERIFIER_H_
#define CUSTODY_CLIENT_VERIFY_RECEIPT_VERIFIER_H_

#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/verify/trust.h"
#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "custody/v1/record.pb.h"

namespace custody {

// What a true receipt says.
struct VerifiedReceipt {
  v1::Entry entry;
  Digest leaf_hash;
  Checkpoint checkpoint;
};

// OK if the entry is strictly encoded, stands at the stated index, and is included under a
// checkpoint of `origin` that one of `log_keys` signed.
// Errors: kInvalidArgument malformed or over a limit; kUnauthenticated if a signature or the proof
// is false.
absl::StatusOr<VerifiedReceipt> VerifyReceipt(const v1::Receipt& receipt, std::string_view origin,
                                              std::span<const NoteVerifier> log_keys);

// The same by the keys of a trust file, retired ones within their size.
// Errors: also kFailedPrecondition if only a key signed that was retired before.
absl::StatusOr<VerifiedReceipt> VerifyReceipt(const v1::Receipt& receipt, const Trust& trust);

// The same under a checkpoint that the caller has opened: many receipts share one.
absl::StatusOr<VerifiedReceipt> VerifyReceiptUnder(const v1::Receipt& receipt,
                                                   const Checkpoint& checkpoint);

// OK if the entry holds exactly this event and at least these signatures, byte for byte.
//
// The ledger may hold more: a repetition gets the first receipt, whose record may have had other
// signatures. With `already_recorded` only the event must be equal.
// Errors: kUnauthenticated.
absl::Status CheckEntryHolds(const v1::Entry& entry, const v1::SignedEvent& sent,
                             bool already_recorded);

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_RECEIPT_VERIFIER_H_

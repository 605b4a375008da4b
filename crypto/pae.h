// DSSE pre-authentication encoding: the bytes that every signature of the ledger covers, except
// those on notes (crypto/note.h).
//
// Type and body are both bound with their lengths, so bytes signed as one type can never be read
// as another.
//
// Format:  "DSSEv1" SP len(type) SP type SP len(body) SP body, lengths in decimal ASCII.
// Threads: pure functions.

#ifndef CUSTODY_CRYPTO_PAE_H_
#define CUSTODY_CRYPTO_PAE_H_

#include <string>
#include <string_view>

#include "crypto/digest.h"

namespace custody {

inline constexpr std::string_view kEventPayloadType = "application/vnd.custody.event.v1+protobuf";
inline constexpr std::string_view kSignaturePayloadType =
    "application/vnd.custody.signature.v1+protobuf";
inline constexpr std::string_view kBatchStatementPayloadType =
    "application/vnd.custody.batch-statement.v1+protobuf";
inline constexpr std::string_view kPolicyPayloadType = "application/vnd.custody.policy.v1+protobuf";

// Never fails.
std::string PreAuthEncoding(std::string_view type, std::string_view body);

// Sha256(PreAuthEncoding(type, body)) without building the string. Never fails.
Digest PaeDigest(std::string_view type, std::string_view body);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_PAE_H_

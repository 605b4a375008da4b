#include "client/verify/receipt_verifier.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/wire_check.h"

namespace custody {
namespace {

absl::StatusOr<v1::Entry> ParseEntry(const v1::Receipt& receipt) {
  if (receipt.entry().empty() || receipt.entry().size() > kEntryBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("receipt: the entry has %d bytes, want 1..%d",
                                                      receipt.entry().size(), kEntryBytesMax));
  }
  CUSTODY_RETURN_IF_ERROR(CheckStrictEncoding(receipt.entry(), *v1::Entry::descriptor()));
  v1::Entry entry;
  if (!entry.ParseFromString(receipt.entry())) {
    return absl::InvalidArgumentError("receipt: the entry does not parse");
  }
  if (entry.index() != receipt.index()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "receipt: the entry says index %d, the receipt says %d", entry.index(), receipt.index()));
  }
  return entry;
}

absl::StatusOr<std::vector<Digest>> ParseHashes(
    const google::protobuf::RepeatedPtrField<std::string>& hashes) {
  constexpr int kHashesMax = 63;
  if (hashes.size() > kHashesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("receipt: %d hashes, at most %d", hashes.size(), kHashesMax));
  }
  std::vector<Digest> digests;
  for (const std::string& hash : hashes) {
    CUSTODY_ASSIGN_OR_RETURN(const Digest digest, Digest::FromBytes(hash));
    digests.push_back(digest);
  }
  return digests;
}

bool SameSignature(const v1::Signature& a, const v1::Signature& b) {
  return a.statement() == b.statement() && a.signature() == b.signature() &&
         a.batch_index() == b.batch_index() &&
         std::equal(a.batch_path().begin(), a.batch_path().end(), b.batch_path().begin(),
                    b.batch_path().end());
}

}  // namespace

absl::StatusOr<VerifiedReceipt> VerifyReceiptUnder(const v1::Receipt& receipt,
                                                   const Checkpoint& checkpoint) {
  VerifiedReceipt verified;
  CUSTODY_ASSIGN_OR_RETURN(verified.entry, ParseEntry(receipt));
  verified.leaf_hash = LeafHash(receipt.entry());
  verified.checkpoint = checkpoint;
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<Digest> hashes, ParseHashes(receipt.inclusion()));
  CUSTODY_RETURN_IF_ERROR(VerifyInclusion(receipt.index(), checkpoint.size, verified.leaf_hash,
                                          hashes, checkpoint.root));
  return verified;
}

absl::StatusOr<VerifiedReceipt> VerifyReceipt(const v1::Receipt& receipt, std::string_view origin,
                                              std::span<const NoteVerifier> log_keys) {
  CUSTODY_ASSIGN_OR_RETURN(const OpenedCheckpoint opened,
                           OpenCheckpoint(receipt.checkpoint(), origin, log_keys));
  return VerifyReceiptUnder(receipt, opened.checkpoint);
}

absl::StatusOr<VerifiedReceipt> VerifyReceipt(const v1::Receipt& receipt, const Trust& trust) {
  CUSTODY_ASSIGN_OR_RETURN(const OpenedCheckpoint opened,
                           OpenTrustedCheckpoint(receipt.checkpoint(), trust));
  return VerifyReceiptUnder(receipt, opened.checkpoint);
}

absl::Status CheckEntryHolds(const v1::Entry& entry, const v1::SignedEvent& sent,
                             bool already_recorded) {
  if (!entry.has_signed_event() || entry.signed_event().event() != sent.event()) {
    return absl::UnauthenticatedError(
        absl::StrFormat("entry %d does not hold the event that was sent", entry.index()));
  }
  if (already_recorded) {
    return absl::OkStatus();
  }
  const auto& recorded = entry.signed_event().signatures();
  for (const v1::Signature& signature : sent.signatures()) {
    const bool found = std::any_of(recorded.begin(), recorded.end(), [&](const auto& other) {
      return SameSignature(signature, other);
    });
    if (!found) {
      return absl::UnauthenticatedError(
          absl::StrFormat("entry %d lacks a signature that was sent", entry.index()));
    }
  }
  return absl::OkStatus();
}

}  // namespace custody

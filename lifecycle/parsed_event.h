// A signed event after parsing: bytes, message, digest, catalogue row and statements, in agreement.
//
// A ParsedEvent is well-formed: strict encoding, one body, ids of the right form, the header's
// subjects equal to those that the body touches, statements that name this event and this ledger,
// signatures sorted by key id and without repetition. It says nothing about whether the signatures
// are true (VerifySignatures of the daemon or the verifier) or whether the rules accept it
// (Evaluate).
//
// Threads: a value; immutable after parsing.

#ifndef CUSTODY_LIFECYCLE_PARSED_EVENT_H_
#define CUSTODY_LIFECYCLE_PARSED_EVENT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/record.pb.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/subject.h"

namespace custody {

struct ParsedSignature {
  v1::Signature signature;
  // For a batch statement: what it says about this one event; that the event is in the batch has
  // been checked.
  v1::SignatureStatement statement;
  // The signature is over a BatchStatement; else over a SignatureStatement.
  bool batch = false;

  // The person or device that signs; kind UNSPECIFIED never occurs.
  SubjectKey signer;
};

struct ParsedEvent {
  // As received; these are the bytes that are stored.
  v1::SignedEvent signed_event;
  v1::Event event;
  Digest digest;
  const CatalogueEntry* catalogue = nullptr;
  // Same order as event.subjects().
  std::vector<SubjectKey> subjects;
  std::vector<ParsedSignature> signatures;

  std::string_view code() const { return catalogue->row.code(); }
};

inline constexpr std::size_t kEntryBytesMax = 48U << 10;
// Room for links and findings beside the event in an entry.
inline constexpr std::size_t kSignedEventBytesMax = 36U << 10;
inline constexpr std::size_t kSubjectsMax = 256;
inline constexpr std::size_t kSignaturesMax = 8;

// Parses and checks everything that does not depend on any state.
//
//   ledger   origin of this ledger; another one in the event is E_WRONG_LEDGER
//
// Errors: kInvalidArgument with a Refusal payload (refusal.h): E_MALFORMED, E_TOO_LARGE,
// E_WRONG_LEDGER, E_SUBJECTS, E_FIELD, E_PERSONAL_DATA (a raw scan that identifies a person).
absl::StatusOr<ParsedEvent> ParseSignedEvent(v1::SignedEvent signed_event, std::string_view ledger);

// The same for an event that is not signed yet (dry run, drafts): `signatures` stays empty.
absl::StatusOr<ParsedEvent> ParseUnsignedEvent(std::string_view event_bytes,
                                               std::string_view ledger);

// Reads an event that stands in the log: what ParseSignedEvent() checked when it was recorded is
// not checked again, so that later and stricter versions read old entries alike. Errors: kDataLoss
// if the bytes cannot be read at all.
absl::StatusOr<ParsedEvent> ReadRecordedEvent(const v1::SignedEvent& signed_event);

// The payload type under which the statement of a signature is signed.
std::string_view PayloadTypeOf(const ParsedSignature& signature);

// Parses the statement of one signature about `event_digest`.
// Errors: kInvalidArgument with a Refusal payload.
absl::StatusOr<ParsedSignature> ParseSignature(const v1::Signature& signature,
                                               const Digest& event_digest, std::string_view ledger);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_PARSED_EVENT_H_

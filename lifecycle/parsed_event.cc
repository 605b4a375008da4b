#include "lifecycle/parsed_event.h"

#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/pae.h"
#include "lifecycle/batch_statement.h"
#include "lifecycle/field_check.h"
#include "lifecycle/refusal.h"
#include "lifecycle/time_range.h"
#include "lifecycle/touched_subjects.h"
#include "lifecycle/wire_check.h"

namespace custody {
namespace {

constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kSignerIdBytes = 16;

absl::Status Malformed(std::string_view what) {
  return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_MALFORMED, what, "");
}

absl::Status WrongLedger(std::string_view stated, std::string_view ledger) {
  return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_WRONG_LEDGER,
                       absl::StrFormat("made for ledger \"%s\", this is \"%s\"", stated, ledger),
                       "");
}

absl::Status TooLarge(std::string_view what) {
  return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_TOO_LARGE, what, "");
}

template <typename Message>
absl::Status ParseStrictly(std::string_view bytes, Message* message) {
  const absl::Status strict = CheckStrictEncoding(bytes, *Message::descriptor());
  if (!strict.ok()) return Malformed(StdView(strict.message()));
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Malformed("cannot be parsed");
  }
  return absl::OkStatus();
}

absl::Status CheckSubjects(const v1::Event& event) {
  const std::vector<v1::SubjectRef> touched = TouchedSubjects(event);
  const auto refuse = [](std::string_view what) {
    return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_SUBJECTS, what, "");
  };
  if (touched.empty()) return refuse("the event touches no subject");
  if (touched.size() > kSubjectsMax) {
    return TooLarge(absl::StrFormat("the event touches %d subjects, at most %d are allowed",
                                    touched.size(), kSubjectsMax));
  }
  if (static_cast<std::size_t>(event.subjects_size()) != touched.size()) {
    return refuse(absl::StrFormat("the header lists %d subjects, the body names %d",
                                  event.subjects_size(), touched.size()));
  }
  for (std::size_t i = 0; i < touched.size(); ++i) {
    const v1::SubjectRef& stated = event.subjects(static_cast<int>(i));
    if (stated.kind() != touched[i].kind() || stated.id() != touched[i].id() ||
        stated.role() != touched[i].role()) {
      return refuse(absl::StrFormat("subject %d of the header is %s, the body names %s", i,
                                    Describe(KeyOf(stated)), Describe(KeyOf(touched[i]))));
    }
  }
  return absl::OkStatus();
}

// Fills everything but the signatures from checked bytes.
void FillFromEvent(std::string_view event_bytes, ParsedEvent* parsed) {
  parsed->digest = PaeDigest(kEventPayloadType, event_bytes);
  parsed->catalogue = FindCatalogueEntry(parsed->event);
  parsed->subjects.reserve(static_cast<std::size_t>(parsed->event.subjects_size()));
  for (const v1::SubjectRef& ref : parsed->event.subjects()) {
    parsed->subjects.push_back(KeyOf(ref));
  }
}

absl::Status ParseEventBytes(std::string_view event_bytes, std::string_view ledger,
                             ParsedEvent* parsed) {
  CUSTODY_RETURN_IF_ERROR(ParseStrictly(event_bytes, &parsed->event));
  const CatalogueEntry* entry = FindCatalogueEntry(parsed->event);
  if (entry == nullptr) return Malformed("the event has no body");
  if (parsed->event.ledger() != ledger) return WrongLedger(parsed->event.ledger(), ledger);
  CUSTODY_RETURN_IF_ERROR(CheckBody(parsed->event, *entry));
  CUSTODY_RETURN_IF_ERROR(CheckSubjects(parsed->event));
  CUSTODY_RETURN_IF_ERROR(CheckHeader(parsed->event));
  FillFromEvent(event_bytes, parsed);
  return absl::OkStatus();
}

// The statement of a batch as a statement about one of its events.
v1::SignatureStatement StatementOfBatch(const v1::BatchStatement& batch, const Digest& digest) {
  v1::SignatureStatement statement;
  statement.set_event_digest(std::string(digest.view()));
  statement.set_key_id(batch.key_id());
  statement.set_person_id(batch.person_id());
  statement.set_device_id(batch.device_id());
  statement.set_role(batch.role());
  statement.set_meaning(batch.meaning());
  statement.set_signed_at_ms(batch.signed_at_ms());
  statement.set_authentication(batch.authentication());
  statement.set_ledger(batch.ledger());
  return statement;
}

absl::Status CheckBatch(const v1::Signature& signature, const v1::BatchStatement& batch,
                        const Digest& digest) {
  if (batch.events_count() == 0 || batch.events_count() > kBatchEventsMax) {
    return Malformed("a batch statement is about 1 to 1,024 events");
  }
  if (batch.meaning() != v1::MEANING_PERFORMED && batch.meaning() != v1::MEANING_AUTHORED) {
    return Malformed("a batch statement means performed or authored only");
  }
  const absl::StatusOr<Digest> root = Digest::FromBytes(std::string_view(batch.events_root()));
  if (!root.ok()) return Malformed("events_root is not 32 bytes");
  std::vector<Digest> path;
  for (const std::string& node : signature.batch_path()) {
    const absl::StatusOr<Digest> hash = Digest::FromBytes(std::string_view(node));
    if (!hash.ok()) return Malformed("a node of batch_path is not 32 bytes");
    path.push_back(*hash);
  }
  const absl::Status included = VerifyInclusion(signature.batch_index(), batch.events_count(),
                                                LeafHash(digest.view()), path, *root);
  return included.ok() ? included : Malformed("the event is not in the batch that was signed");
}

absl::Status CheckStatement(const v1::SignatureStatement& statement, const Digest& digest,
                            std::string_view ledger) {
  if (statement.event_digest() != digest.view()) {
    return Malformed("a statement names another event");
  }
  if (statement.ledger() != ledger) return WrongLedger(statement.ledger(), ledger);
  if (statement.key_id().size() != Digest::kSizeBytes) return Malformed("key_id is not 32 bytes");
  const std::string& signer =
      statement.person_id().empty() ? statement.device_id() : statement.person_id();
  if (statement.person_id().empty() == statement.device_id().empty() ||
      signer.size() != kSignerIdBytes) {
    return Malformed("a statement names exactly one person or device, 16 bytes");
  }
  if (statement.role() == v1::ROLE_UNSPECIFIED || statement.meaning() == v1::MEANING_UNSPECIFIED ||
      statement.signed_at_ms() <= 0 || !IsTimeInRange(statement.signed_at_ms())) {
    return Malformed("a statement has a role, a meaning and a time");
  }
  return absl::OkStatus();
}

// Statements differ in the type of field 2, so bytes that are one are never the other. Whoever
// reads a batch does not try the other type first for each of its events.
absl::Status ReadStatement(const v1::Signature& signature, const Digest& digest,
                           ParsedSignature* parsed) {
  absl::Status single;
  if (signature.batch_path().empty())
    single = ParseStrictly(signature.statement(), &parsed->statement);
  if (!signature.batch_path().empty() || !single.ok()) {
    v1::BatchStatement batch;
    const absl::Status many = ParseStrictly(signature.statement(), &batch);
    if (!many.ok()) return single.ok() ? many : single;
    CUSTODY_RETURN_IF_ERROR(CheckBatch(signature, batch, digest));
    parsed->batch = true;
    parsed->statement = StatementOfBatch(batch, digest);
    return absl::OkStatus();
  }
  if (signature.batch_index() != 0 || signature.batch_path_size() != 0) {
    return Malformed("a path without a batch statement");
  }
  return absl::OkStatus();
}

SubjectKey SignerOf(const v1::SignatureStatement& statement) {
  return statement.device_id().empty() ? SubjectKey{v1::SUBJECT_KIND_PERSON, statement.person_id()}
                                       : SubjectKey{v1::SUBJECT_KIND_DEVICE, statement.device_id()};
}

template <typename Message>
bool HasUnknownFields(const Message& message) {
  return !message.GetReflection()->GetUnknownFields(message).empty();
}

absl::Status ParseSignatures(const v1::SignedEvent& signed_event, std::string_view ledger,
                             ParsedEvent* parsed) {
  const int count = signed_event.signatures_size();
  if (count < 1 || static_cast<std::size_t>(count) > kSignaturesMax) {
    return Malformed(absl::StrFormat("the event has %d signatures, 1 to 8 are allowed", count));
  }
  if (HasUnknownFields(signed_event)) return Malformed("unknown field in the signed event");
  for (const v1::Signature& signature : signed_event.signatures()) {
    if (HasUnknownFields(signature)) return Malformed("unknown field in a signature");
    CUSTODY_ASSIGN_OR_RETURN(ParsedSignature added,
                             ParseSignature(signature, parsed->digest, ledger));
    if (added.batch && !parsed->catalogue->is_observation()) {
      return Malformed("a batch statement signs observations only");
    }
    if (!parsed->signatures.empty() &&
        parsed->signatures.back().statement.key_id() >= added.statement.key_id()) {
      return Malformed("signatures are not sorted by key_id, or a key signs twice");
    }
    parsed->signatures.push_back(std::move(added));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParsedSignature> ParseSignature(const v1::Signature& signature,
                                               const Digest& event_digest,
                                               std::string_view ledger) {
  ParsedSignature parsed;
  CUSTODY_RETURN_IF_ERROR(ReadStatement(signature, event_digest, &parsed));
  CUSTODY_RETURN_IF_ERROR(CheckStatement(parsed.statement, event_digest, ledger));
  if (signature.signature().size() != kSignatureBytes) {
    return Malformed("a signature is not 64 bytes");
  }
  parsed.signature = signature;
  parsed.signer = SignerOf(parsed.statement);
  return parsed;
}

absl::StatusOr<ParsedEvent> ParseUnsignedEvent(std::string_view event_bytes,
                                               std::string_view ledger) {
  if (event_bytes.size() > kSignedEventBytesMax) {
    return TooLarge(absl::StrFormat("the event has %d bytes, at most %d are allowed",
                                    event_bytes.size(), kSignedEventBytesMax));
  }
  ParsedEvent parsed;
  CUSTODY_RETURN_IF_ERROR(ParseEventBytes(event_bytes, ledger, &parsed));
  parsed.signed_event.set_event(std::string(event_bytes));
  return parsed;
}

absl::StatusOr<ParsedEvent> ParseSignedEvent(v1::SignedEvent signed_event,
                                             std::string_view ledger) {
  const std::size_t size = signed_event.ByteSizeLong();
  if (size > kSignedEventBytesMax) {
    return TooLarge(absl::StrFormat("the signed event has %d bytes, at most %d are allowed", size,
                                    kSignedEventBytesMax));
  }
  ParsedEvent parsed;
  CUSTODY_RETURN_IF_ERROR(ParseEventBytes(signed_event.event(), ledger, &parsed));
  CUSTODY_RETURN_IF_ERROR(ParseSignatures(signed_event, ledger, &parsed));
  parsed.signed_event = std::move(signed_event);
  return parsed;
}

absl::StatusOr<ParsedEvent> ReadRecordedEvent(const v1::SignedEvent& signed_event) {
  ParsedEvent parsed;
  if (!parsed.event.ParseFromString(signed_event.event()) ||
      FindCatalogueEntry(parsed.event) == nullptr) {
    return absl::DataLossError("a recorded event cannot be read");
  }
  FillFromEvent(signed_event.event(), &parsed);
  for (const v1::Signature& signature : signed_event.signatures()) {
    ParsedSignature added;
    CUSTODY_RETURN_IF_ERROR(ReadStatement(signature, parsed.digest, &added));
    added.signature = signature;
    added.signer = SignerOf(added.statement);
    parsed.signatures.push_back(std::move(added));
  }
  parsed.signed_event = signed_event;
  return parsed;
}

std::string_view PayloadTypeOf(const ParsedSignature& signature) {
  return signature.batch ? kBatchStatementPayloadType : kSignaturePayloadType;
}

}  // namespace custody

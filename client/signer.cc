#include "custody/signer.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/files.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/pae.h"
#include "custody/event_builder.h"
#include "custody/v1/event.pb.h"
#include "lifecycle/batch_statement.h"
#include "lifecycle/parsed_event.h"

namespace custody {
namespace {

constexpr std::size_t kActorIdBytes = 16;
constexpr std::size_t kKeyFileBytesMax = 64U << 10;

absl::StatusOr<std::string> ReadKeyFile(const std::string& path) {
  CUSTODY_ASSIGN_OR_RETURN(std::string pem, ReadWholeFile(path, kKeyFileBytesMax));
  struct stat info {};
  const bool encrypted = pem.find("ENCRYPTED PRIVATE KEY") != std::string::npos;
  if (!encrypted && ::stat(path.c_str(), &info) == 0 && (info.st_mode & 077U) != 0) {
    return absl::PermissionDeniedError(absl::StrFormat(
        "%s holds an unencrypted key and has mode %03o, want 600", path, info.st_mode & 0777U));
  }
  return pem;
}

v1::SignerAuthentication AuthenticationOf(const SignatureTerms& terms, bool is_device) {
  if (terms.authentication != v1::SIGNER_AUTHENTICATION_UNSPECIFIED) {
    return terms.authentication;
  }
  return is_device ? v1::SIGNER_AUTHENTICATION_MACHINE : v1::SIGNER_AUTHENTICATION_PASSPHRASE;
}

// The key id inside a signature about the event with this digest.
absl::StatusOr<std::string> KeyIdOf(const v1::Signature& signature, std::string_view digest) {
  v1::SignatureStatement statement;
  if (!statement.ParseFromString(signature.statement()) ||
      statement.key_id().size() != Digest::kSizeBytes) {
    return absl::InvalidArgumentError("the signature's statement is malformed");
  }
  if (statement.event_digest() != digest) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the signature is about event %s, this event is %s",
                        ToHex(statement.event_digest()), ToHex(digest)));
  }
  if (signature.signature().size() != kSignatureSizeBytes) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "the signature has %d bytes, want %d", signature.signature().size(), kSignatureSizeBytes));
  }
  return statement.key_id();
}

}  // namespace

struct Signer::Impl {
  SigningKey key;
  std::string id;
  bool is_device = false;
  std::string key_id;
};

absl::StatusOr<Signer> Signer::Create(std::string_view id, bool is_device, std::string_view key_pem,
                                      std::string_view passphrase) {
  if (id.size() != kActorIdBytes) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s_id has %d bytes, want %d", is_device ? "device" : "person", id.size(), kActorIdBytes));
  }
  CUSTODY_ASSIGN_OR_RETURN(SigningKey key, SigningKey::FromPem(key_pem, passphrase));
  std::string key_id(key.verify_key().key_id().view());
  return Signer(std::make_shared<const Impl>(
      Impl{std::move(key), std::string(id), is_device, std::move(key_id)}));
}

absl::StatusOr<Signer> Signer::ForPerson(std::string_view person_id, std::string_view key_pem,
                                         std::string_view passphrase) {
  return Create(person_id, false, key_pem, passphrase);
}

absl::StatusOr<Signer> Signer::ForDevice(std::string_view device_id, std::string_view key_pem,
                                         std::string_view passphrase) {
  return Create(device_id, true, key_pem, passphrase);
}

absl::StatusOr<Signer> Signer::ForPersonFromFile(std::string_view person_id,
                                                 const std::string& path,
                                                 std::string_view passphrase) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, ReadKeyFile(path));
  return Create(person_id, false, pem, passphrase);
}

absl::StatusOr<Signer> Signer::ForDeviceFromFile(std::string_view device_id,
                                                 const std::string& path,
                                                 std::string_view passphrase) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, ReadKeyFile(path));
  return Create(device_id, true, pem, passphrase);
}

namespace {

// What every kind of statement says of its signer.
template <typename Impl, typename Statement>
void FillStatement(const Impl& signer, const SignatureTerms& terms, const std::string& ledger,
                   Statement* statement) {
  statement->set_key_id(signer.key_id);
  signer.is_device ? statement->set_device_id(signer.id) : statement->set_person_id(signer.id);
  statement->set_role(terms.role);
  statement->set_meaning(terms.meaning);
  statement->set_signed_at_ms(terms.signed_at_ms != 0 ? terms.signed_at_ms : NowMs());
  statement->set_authentication(AuthenticationOf(terms, signer.is_device));
  statement->set_ledger(ledger);
}

// The ledger for which all these events are meant.
absl::StatusOr<std::string> LedgerOf(const std::vector<std::string>& events) {
  std::string ledger;
  for (const std::string& bytes : events) {
    v1::Event event;
    if (!event.ParseFromString(bytes) || event.ledger().empty()) {
      return absl::InvalidArgumentError("these bytes are no event");
    }
    if (!ledger.empty() && ledger != event.ledger()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "the batch has events for ledger %s and for ledger %s", ledger, event.ledger()));
    }
    ledger = event.ledger();
  }
  return ledger;
}

}  // namespace

absl::StatusOr<v1::RecordBatchRequest> Signer::SignBatch(std::vector<std::string> events,
                                                         const SignatureTerms& terms) const {
  if (events.empty() || events.size() > kBatchEventsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a batch has 1 to %d events, not %d", kBatchEventsMax, events.size()));
  }
  if (terms.role == v1::ROLE_UNSPECIFIED ||
      (terms.meaning != v1::MEANING_PERFORMED && terms.meaning != v1::MEANING_AUTHORED)) {
    return absl::InvalidArgumentError(
        "a batch statement needs a role and the meaning performed or authored");
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string ledger, LedgerOf(events));
  v1::BatchStatement statement;
  statement.set_events_root(std::string(BatchRoot(events).view()));
  statement.set_events_count(static_cast<std::uint32_t>(events.size()));
  FillStatement(*impl_, terms, ledger, &statement);
  v1::RecordBatchRequest request;
  request.set_statement(statement.SerializeAsString());
  CUSTODY_ASSIGN_OR_RETURN(
      *request.mutable_signature(),
      impl_->key.Sign(PreAuthEncoding(kBatchStatementPayloadType, request.statement())));
  for (std::string& bytes : events) request.add_events(std::move(bytes));
  return request;
}

absl::StatusOr<v1::Signature> Signer::SignEvent(std::string_view event_bytes,
                                                const SignatureTerms& terms) const {
  v1::Event event;
  if (!event.ParseFromArray(event_bytes.data(), static_cast<int>(event_bytes.size())) ||
      event.ledger().empty()) {
    return absl::InvalidArgumentError("these bytes are no event");
  }
  if (terms.role == v1::ROLE_UNSPECIFIED || terms.meaning == v1::MEANING_UNSPECIFIED) {
    return absl::InvalidArgumentError("a signature needs a role and a meaning");
  }
  v1::SignatureStatement statement;
  statement.set_event_digest(EventDigest(event_bytes));
  FillStatement(*impl_, terms, event.ledger(), &statement);

  v1::Signature signature;
  signature.set_statement(statement.SerializeAsString());
  CUSTODY_ASSIGN_OR_RETURN(
      *signature.mutable_signature(),
      impl_->key.Sign(PreAuthEncoding(kSignaturePayloadType, signature.statement())));
  return signature;
}

const std::string& Signer::signer_id() const { return impl_->id; }
bool Signer::is_device() const { return impl_->is_device; }
const std::string& Signer::key_id() const { return impl_->key_id; }
const std::string& Signer::public_key_spki() const { return impl_->key.verify_key().spki(); }

absl::StatusOr<v1::SignedEvent> MakeSignedEvent(std::string_view event_bytes,
                                                const std::vector<v1::Signature>& signatures) {
  v1::SignedEvent signed_event;
  signed_event.set_event(std::string(event_bytes));
  for (const v1::Signature& signature : signatures) {
    CUSTODY_RETURN_IF_ERROR(AddSignature(signature, &signed_event));
  }
  return signed_event;
}

absl::Status AddSignature(const v1::Signature& signature, v1::SignedEvent* signed_event) {
  const std::string digest = EventDigest(signed_event->event());
  CUSTODY_ASSIGN_OR_RETURN(const std::string key_id, KeyIdOf(signature, digest));
  int position = 0;
  for (const v1::Signature& other : signed_event->signatures()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string other_key_id, KeyIdOf(other, digest));
    if (other_key_id == key_id) {
      return other.statement() == signature.statement()
                 ? absl::OkStatus()
                 : absl::AlreadyExistsError(absl::StrFormat(
                       "key %s has signed this event with another statement", ToHex(key_id)));
    }
    position += other_key_id < key_id ? 1 : 0;
  }
  if (signed_event->signatures_size() >= static_cast<int>(kSignaturesMax)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("an event has at most %d signatures", kSignaturesMax));
  }
  auto* signatures = signed_event->mutable_signatures();
  *signatures->Add() = signature;
  std::rotate(signatures->begin() + position, signatures->end() - 1, signatures->end());
  return absl::OkStatus();
}

}  // namespace custody

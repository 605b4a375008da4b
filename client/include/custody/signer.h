// Signatures of persons and devices over events.
//
// A signature says who, in which role, meaning what, when, of which event, and can be made
// anywhere: the second pair of eyes signs the same bytes on another machine and sends its signature
// alone (Client::Cosign) or hands it to whoever records (AddSignature).
//
// Threads: Signer is immutable; every call is safe from any thread.
// Owns:    the private key, in memory, wiped when the last copy goes.

#ifndef CUSTODY_CLIENT_SIGNER_H_
#define CUSTODY_CLIENT_SIGNER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/ledger_service.pb.h"
#include "custody/v1/record.pb.h"
#include "custody/v1/vocabulary.pb.h"

namespace custody {

// What a signature states beside the event.
struct SignatureTerms {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  v1::Meaning meaning = v1::MEANING_UNSPECIFIED;
  // UNSPECIFIED: PASSPHRASE for persons, MACHINE for devices.
  v1::SignerAuthentication authentication = v1::SIGNER_AUTHENTICATION_UNSPECIFIED;
  // Milliseconds since 1970 UTC; 0: now, by the clock of this machine.
  std::int64_t signed_at_ms = 0;
};

class Signer {
 public:
  // `person_id` (or `device_id`) has 16 bytes, as enrolled. `key_pem` is one PKCS#8 block of an
  // Ed25519 or P-256 key, "ENCRYPTED PRIVATE KEY" or "PRIVATE KEY" (then the passphrase is not
  // used).
  // Errors: kUnauthenticated if the passphrase does not open the key; kInvalidArgument.
  static absl::StatusOr<Signer> ForPerson(std::string_view person_id, std::string_view key_pem,
                                          std::string_view passphrase);
  static absl::StatusOr<Signer> ForDevice(std::string_view device_id, std::string_view key_pem,
                                          std::string_view passphrase);

  // The same from a file. Errors: also kNotFound; kPermissionDenied if an unencrypted key may be
  // read by others than its owner (mode beyond 0600).
  static absl::StatusOr<Signer> ForPersonFromFile(std::string_view person_id,
                                                  const std::string& path,
                                                  std::string_view passphrase);
  static absl::StatusOr<Signer> ForDeviceFromFile(std::string_view device_id,
                                                  const std::string& path,
                                                  std::string_view passphrase);

  // Signs the event whose bytes these are. The bytes are read (for the ledger's origin) and never
  // encoded again. Person and device are told apart by how the signer was made.
  // Errors: kInvalidArgument if the bytes are no event or role or meaning is missing; kInternal.
  absl::StatusOr<v1::Signature> SignEvent(std::string_view event_bytes,
                                          const SignatureTerms& terms) const;

  // Signs many observations with one signature, to be recorded by Client::RecordBatch(): one
  // verification for all of them, and each proves itself alone ever after. `events` are their final
  // bytes, in the order in which they shall reach the log. Only MEANING_PERFORMED and
  // MEANING_AUTHORED; a decision cannot be signed so.
  // Errors: kInvalidArgument for no or more than 1,024 events, bytes that are no event, events of
  // different ledgers, another meaning, a missing role; kInternal.
  absl::StatusOr<v1::RecordBatchRequest> SignBatch(std::vector<std::string> events,
                                                   const SignatureTerms& terms) const;

  // 16 bytes.
  const std::string& signer_id() const;
  bool is_device() const;
  // SHA-256 of the public key, 32 bytes: under which it is enrolled.
  const std::string& key_id() const;
  // SubjectPublicKeyInfo, DER: what an enrolment holds.
  const std::string& public_key_spki() const;

 private:
  struct Impl;
  explicit Signer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  static absl::StatusOr<Signer> Create(std::string_view id, bool is_device,
                                       std::string_view key_pem, std::string_view passphrase);
  std::shared_ptr<const Impl> impl_;
};

// An event with its signatures in the order that the ledger wants (by key id).
// Errors: kInvalidArgument, as AddSignature().
absl::StatusOr<v1::SignedEvent> MakeSignedEvent(std::string_view event_bytes,
                                                const std::vector<v1::Signature>& signatures);

// Puts a detached signature into its place; one that is there already changes nothing.
// Errors: kInvalidArgument if it is of another event or malformed, or would be the ninth;
//         kAlreadyExists if the key has signed this event with another statement.
absl::Status AddSignature(const v1::Signature& signature, v1::SignedEvent* signed_event);

}  // namespace custody

#endif  // CUSTODY_CLIENT_SIGNER_H_

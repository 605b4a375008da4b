#include "daemon/ledger/system_events.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/pae.h"
#include "daemon/ledger/encode.h"
#include "lifecycle/refusal.h"
#include "lifecycle/touched_subjects.h"

namespace custody {

std::string ConsequenceEventId(const Digest& cause_leaf_hash, std::uint32_t ordinal,
                               std::int64_t recorded_at_ms) {
  std::string number;
  AppendBigEndian32(ordinal, &number);
  const Digest hash = Sha256Hasher()
                          .Update(std::string_view("custody consequence"))
                          .Update(cause_leaf_hash)
                          .Update(number)
                          .Finish();
  std::string time;
  AppendBigEndian64(static_cast<std::uint64_t>(recorded_at_ms), &time);
  std::string id = time.substr(2) + std::string(hash.view().substr(0, 10));
  id[6] = static_cast<char>((static_cast<unsigned char>(id[6]) & 0x0F) | 0x70);  // Version 7.
  id[8] = static_cast<char>((static_cast<unsigned char>(id[8]) & 0x3F) | 0x80);  // RFC 9562.
  return id;
}

v1::Event CompleteSystemEvent(v1::Event event, std::string_view origin, std::string event_id,
                              std::int64_t at_ms, std::string_view site_id) {
  event.set_ledger(std::string(origin));
  event.set_event_id(std::move(event_id));
  event.mutable_occurred_at()->set_utc_ms(at_ms);
  event.mutable_occurred_at()->set_source(v1::TIME_SOURCE_SERVER);
  event.set_site_id(std::string(site_id));
  FillSubjects(&event);
  return event;
}

absl::StatusOr<ParsedEvent> SystemEvents::Make(v1::Event body, std::string event_id,
                                               std::int64_t at_ms, std::string_view site_id) const {
  const v1::Event event =
      CompleteSystemEvent(std::move(body), origin_, std::move(event_id), at_ms, site_id);
  v1::SignedEvent signed_event;
  signed_event.set_event(EncodeMessage(event));

  const Digest digest = PaeDigest(kEventPayloadType, signed_event.event());
  v1::SignatureStatement statement;
  statement.set_event_digest(std::string(digest.view()));
  statement.set_key_id(std::string(key_.verify_key().key_id().view()));
  statement.set_device_id(device_id_);
  statement.set_role(v1::ROLE_DEVICE);
  statement.set_meaning(v1::MEANING_DERIVED);
  statement.set_signed_at_ms(at_ms);
  statement.set_authentication(v1::SIGNER_AUTHENTICATION_MACHINE);
  statement.set_ledger(origin_);
  v1::Signature* signature = signed_event.add_signatures();
  signature->set_statement(EncodeMessage(statement));
  CUSTODY_ASSIGN_OR_RETURN(
      std::string bytes, key_.Sign(PreAuthEncoding(kSignaturePayloadType, signature->statement())));
  signature->set_signature(std::move(bytes));
  return ParseSignedEvent(signed_event, origin_);
}

v1::Event SignatureAddedBody(const Digest& event_digest, const std::vector<SubjectKey>& subjects,
                             const v1::Signature& signature) {
  v1::Event event;
  v1::SignatureAdded* added = event.mutable_signature_added();
  added->set_event(std::string(event_digest.view()));
  for (const SubjectKey& subject : subjects) {
    *added->add_targets() = RefOf(subject, v1::SUBJECT_ROLE_SCOPE);
  }
  added->set_statement(signature.statement());
  added->set_signature(signature.signature());
  return event;
}

}  // namespace custody

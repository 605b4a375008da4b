// Signed events for tests of the client: well-formed bytes whose meaning does not matter.

#ifndef CUSTODY_TESTS_UNIT_CLIENT_SIGNED_EVENT_MAKER_H_
#define CUSTODY_TESTS_UNIT_CLIENT_SIGNED_EVENT_MAKER_H_

#include <string>

#include "crypto/keys.h"
#include "custody/event_builder.h"
#include "custody/signer.h"

namespace custody {

inline Signer TestSigner(char seed) {
  const SigningKey key = SigningKey::FromEd25519Seed(std::string(32, seed)).value();
  return Signer::ForPerson(std::string(16, seed), key.ToUnencryptedPem().value(), "").value();
}

// The bytes of an event; another one for each name.
inline std::string EventBytes(const std::string& name) {
  v1::Event event;
  event.set_ledger("custody.test.example/ledger");
  event.set_event_id(std::string(16, 'e'));
  event.mutable_occurred_at()->set_utc_ms(1'795'000'000'000);
  event.mutable_reason()->set_text(name);
  return event.SerializeAsString();
}

inline v1::SignedEvent SignedTestEvent(const std::string& name) {
  const std::string bytes = EventBytes(name);
  const SignatureTerms terms{.role = v1::ROLE_NURSE, .meaning = v1::MEANING_PERFORMED};
  return MakeSignedEvent(bytes, {TestSigner('a').SignEvent(bytes, terms).value()}).value();
}

}  // namespace custody

#endif  // CUSTODY_TESTS_UNIT_CLIENT_SIGNED_EVENT_MAKER_H_

#include "tests/crash/event_source.h"

#include <utility>

#include "base/status_macros.h"
#include "crypto/keys.h"
#include "custody/event_builder.h"

namespace custody {

absl::StatusOr<Cast> MakeCast(const RealLedger& ledger) {
  Cast cast;
  v1::SignedEvent site = ledger.NewSite();
  v1::Event event;
  if (!event.ParseFromString(site.event())) return absl::InternalError("the site does not parse");
  cast.site_id = event.site_registered().site_id();
  cast.enrolment.push_back(std::move(site));

  CUSTODY_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, key.ToUnencryptedPem());
  CUSTODY_ASSIGN_OR_RETURN(Signer worker, Signer::ForPerson(NewSubjectId(), pem, ""));
  cast.worker = std::make_unique<Signer>(std::move(worker));
  v1::Event enrolment;
  v1::PersonEnrolment& person = *enrolment.mutable_actor_enrolled()->mutable_person();
  person.set_person_id(cast.worker->signer_id());
  person.mutable_identity_proof()->set_sha256(std::string(32, 'i'));
  v1::RoleGrant& grant = *person.add_roles();
  grant.set_role(v1::ROLE_OPERATOR);
  grant.set_site_id(cast.site_id);
  v1::SignerKey& signer_key = *person.add_keys();
  signer_key.set_spki(cast.worker->public_key_spki());
  signer_key.set_algorithm(v1::KEY_ALGORITHM_ECDSA_P256);
  cast.enrolment.push_back(
      ledger.Sign(std::move(enrolment), {{ledger.administrator(), v1::ROLE_ADMINISTRATOR},
                                         {ledger.quality(), v1::ROLE_QUALITY_ASSURANCE}}));
  return cast;
}

EventSource::EventSource(const RealLedger& ledger, const Cast& cast, std::uint64_t seed)
    : ledger_(ledger), cast_(cast), random_(seed) {}

v1::SignedEvent EventSource::Next() {
  const MutexLock lock(mutex_);
  const std::uint64_t die = random_() % 32;
  if (die == 0) return Arrival(/*by_somebody_else=*/true);
  if (die < 10) return ledger_.NewSite();
  if (die < 20 && !arrived_.empty()) {
    const std::string material_id = std::move(arrived_.back());
    arrived_.pop_back();
    return Release(material_id);
  }
  return Arrival(/*by_somebody_else=*/false);
}

// MAT-01. The administrator is no operator: such an arrival is held, and a case is opened.
v1::SignedEvent EventSource::Arrival(bool by_somebody_else) {
  v1::Event event;
  event.set_site_id(cast_.site_id);
  v1::MaterialReceived& arrival = *event.mutable_material_received();
  arrival.set_material_id(NewSubjectId());
  arrival.set_supplier("Example Supplies");
  arrival.set_lot_number("LOT-1");
  arrival.set_received_at_ms(NowMs());
  arrival.set_expires_at_ms(NowMs() + 86'400'000);
  const std::string material_id = arrival.material_id();
  v1::SignedEvent signed_event =
      ledger_.Sign(std::move(event), {{by_somebody_else ? ledger_.administrator() : *cast_.worker,
                                       v1::ROLE_OPERATOR, v1::MEANING_RECEIVED}});
  if (!by_somebody_else) arriving_[signed_event.event()] = material_id;
  return signed_event;
}

// MAT-02.
v1::SignedEvent EventSource::Release(const std::string& material_id) {
  v1::Event event;
  event.set_site_id(cast_.site_id);
  event.mutable_material_released()->set_material_id(material_id);
  event.mutable_material_released()->set_specification_version("1");
  return ledger_.Sign(std::move(event), {{ledger_.quality(), v1::ROLE_QUALITY_ASSURANCE}});
}

void EventSource::Acknowledged(const v1::SignedEvent& signed_event) {
  const MutexLock lock(mutex_);
  const auto found = arriving_.find(signed_event.event());
  if (found == arriving_.end()) return;
  arrived_.push_back(found->second);
  arriving_.erase(found);
}

}  // namespace custody

// What an enrolment must be, and the state that it makes: persons, devices, principals, their keys.
//
// The checks add what is wrong to the context, as E_FIELD unless they say otherwise.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_ENROLMENT_H_
#define CUSTODY_LIFECYCLE_ENROLMENT_H_

#include <cstdint>

#include "custody/v1/governance_events.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/rule_context.h"

namespace custody {

// `to` is exclusive and 0 means no end.
void CheckPeriod(std::int64_t from_ms, std::int64_t to_ms, RuleContext& context);

// Canonical SPKI of the stated algorithm; the certificate, if there is one, certifies this key, and
// the key is not valid for longer than it.
void CheckKey(const v1::SignerKey& key, RuleContext& context);

// Only governance and quality roles may be granted for every site; a site must be known.
void CheckRoles(const google::protobuf::RepeatedPtrField<v1::RoleGrant>& roles,
                RuleContext& context);

void CheckPerson(const v1::PersonEnrolment& person, RuleContext& context);
void CheckDevice(const v1::DeviceEnrolment& device, RuleContext& context);
void CheckPrincipal(const v1::PrincipalEnrolment& principal, RuleContext& context);

// Entry 0: the person holds the role everywhere, and the service device's own key signs.
void CheckFoundingRole(const v1::PersonEnrolment& person, v1::Role role, RuleContext& context);
void CheckFoundingSignature(const v1::DeviceEnrolment& service, RuleContext& context);

v1::KeyState MakeKeyState(const v1::SignerKey& key, std::uint64_t index);
void EnrolPerson(const v1::PersonEnrolment& person, std::uint64_t index, v1::PersonState* state);
void EnrolDevice(const v1::DeviceEnrolment& device, std::uint64_t index, v1::DeviceState* state);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_ENROLMENT_H_

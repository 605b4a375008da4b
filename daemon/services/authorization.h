// Who may call what: principals, and one table with a rule for every method. Default deny.
//
// Who may sign an event is another question, which the rules answer for each event.
//
// Threads: values and pure functions.

#ifndef CUSTODY_DAEMON_SERVICES_AUTHORIZATION_H_
#define CUSTODY_DAEMON_SERVICES_AUTHORIZATION_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/governance_events.pb.h"

namespace custody {

// Whoever connects: a lab system, a clinic, a regulator, as enrolled.
struct Principal {
  // 16 bytes; empty for the development principal.
  std::string id;
  std::string label;
  // Empty: all sites.
  std::vector<std::string> site_ids;
  std::vector<v1::Permission> permissions;

  bool has(v1::Permission permission) const;
  bool covers_all_sites() const { return site_ids.empty(); }
  // Whether this site is one of its sites.
  bool covers(std::string_view site_id) const;
};

using PrincipalPtr = std::shared_ptr<const Principal>;

// May do everything everywhere; only for the loopback switch of development.
PrincipalPtr DevelopmentPrincipal();
PrincipalPtr PrincipalFrom(const v1::PrincipalEnrolment& enrolment);

// What a method needs: one of these permissions; none: every enrolled principal.
struct MethodRule {
  // Full name in the descriptor, "custody.v1.LedgerService.Record".
  std::string_view method;
  std::vector<v1::Permission> any_of;
};

// Every rule, once.
std::span<const MethodRule> MethodRules();

// OK if the principal may call the method.
// Errors: kPermissionDenied E_PERMISSION; also for a method without a rule.
absl::Status CheckPermission(const Principal& principal, std::string_view method);

// OK if the principal may record for, or read of, this site. An empty site belongs to nobody and is
// open to all (governance).
// Errors: kPermissionDenied E_PERMISSION.
absl::Status CheckSite(const Principal& principal, std::string_view site_id);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_AUTHORIZATION_H_

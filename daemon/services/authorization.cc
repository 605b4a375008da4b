#include "daemon/services/authorization.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "google/protobuf/descriptor.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::string_view kAskAdministrator =
    "ask an administrator of the ledger to change the enrolment of this client (GOV-05b)";

std::vector<MethodRule> MakeRules() {
  using enum v1::Permission;
  return {
      {"custody.v1.LedgerService.Record", {PERMISSION_RECORD}},
      {"custody.v1.LedgerService.RecordStream", {PERMISSION_RECORD}},
      {"custody.v1.LedgerService.RecordBatch", {PERMISSION_RECORD}},
      {"custody.v1.LedgerService.Propose", {PERMISSION_RECORD}},
      {"custody.v1.LedgerService.Cosign", {PERMISSION_RECORD}},
      {"custody.v1.LedgerService.ListPending", {PERMISSION_RECORD, PERMISSION_READ_ENTRIES}},
      {"custody.v1.LedgerService.GetEntry", {PERMISSION_READ_ENTRIES}},
      {"custody.v1.LedgerService.ReadEntries", {PERMISSION_READ_ENTRIES}},
      // Hashes only; for bundles of entries the call itself asks for more (tile_reads.h).
      {"custody.v1.LedgerService.ReadTiles", {}},
      {"custody.v1.LedgerService.GetReceipt", {PERMISSION_RECORD, PERMISSION_READ_ENTRIES}},
      // Checkpoints hold no data, and whoever is enrolled should be able to catch a fork.
      {"custody.v1.LedgerService.GetCheckpoint", {}},
      {"custody.v1.LedgerService.GetConsistencyProof", {}},
      {"custody.v1.LedgerService.Watch", {PERMISSION_WATCH}},
      {"custody.v1.ProvenanceService.VerifyDose", {PERMISSION_VERIFY_DOSE}},
      {"custody.v1.ProvenanceService.Evaluate", {PERMISSION_RECORD}},
      {"custody.v1.ProvenanceService.FindSubject",
       {PERMISSION_READ_SUBJECTS, PERMISSION_VERIFY_DOSE, PERMISSION_RECORD}},
      {"custody.v1.ProvenanceService.GetSubject", {PERMISSION_READ_SUBJECTS}},
      {"custody.v1.ProvenanceService.TraceBack", {PERMISSION_READ_SUBJECTS}},
      {"custody.v1.ProvenanceService.TraceForward", {PERMISSION_READ_SUBJECTS}},
      {"custody.v1.ProvenanceService.ListEvents", {PERMISSION_READ_ENTRIES}},
      {"custody.v1.ProvenanceService.ExportBundle", {PERMISSION_EXPORT}},
      {"custody.v1.ProvenanceService.GetCertificateOfAnalysis", {PERMISSION_READ_SUBJECTS}},
      {"custody.v1.ProvenanceService.ListCases", {PERMISSION_READ_SUBJECTS}},
      {"custody.v1.ProvenanceService.ListClocks", {PERMISSION_READ_SUBJECTS}},
      {"custody.v1.AdminService.GetStatus", {PERMISSION_ADMINISTER}},
      {"custody.v1.AdminService.Backup", {PERMISSION_ADMINISTER}},
      {"custody.v1.AdminService.Scrub", {PERMISSION_ADMINISTER}},
      {"custody.v1.AdminService.Drain", {PERMISSION_ADMINISTER}},
  };
}

absl::Status Denied(const std::string& message, std::string_view remedy) {
  return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION, message,
                       remedy);
}

std::string NamesOf(const std::vector<v1::Permission>& permissions) {
  std::string names;
  for (const v1::Permission permission : permissions) {
    if (!names.empty()) names += " or ";
    names += EnumLabel(permission);
  }
  return names;
}

}  // namespace

bool Principal::has(v1::Permission permission) const {
  return std::find(permissions.begin(), permissions.end(), permission) != permissions.end();
}

bool Principal::covers(std::string_view site_id) const {
  return covers_all_sites() ||
         std::find(site_ids.begin(), site_ids.end(), site_id) != site_ids.end();
}

PrincipalPtr DevelopmentPrincipal() {
  auto principal = std::make_shared<Principal>();
  principal->label = "development";
  const google::protobuf::EnumDescriptor& all = *v1::Permission_descriptor();
  for (int i = 0; i < all.value_count(); ++i) {
    const auto permission = static_cast<v1::Permission>(all.value(i)->number());
    if (permission != v1::PERMISSION_UNSPECIFIED) principal->permissions.push_back(permission);
  }
  return principal;
}

PrincipalPtr PrincipalFrom(const v1::PrincipalEnrolment& enrolment) {
  auto principal = std::make_shared<Principal>();
  principal->id = enrolment.principal_id();
  principal->label = enrolment.label();
  principal->site_ids.assign(enrolment.site_ids().begin(), enrolment.site_ids().end());
  for (const int permission : enrolment.permissions()) {
    principal->permissions.push_back(static_cast<v1::Permission>(permission));
  }
  return principal;
}

std::span<const MethodRule> MethodRules() {
  static const std::vector<MethodRule>& rules = *new std::vector<MethodRule>(MakeRules());
  return rules;
}

absl::Status CheckPermission(const Principal& principal, std::string_view method) {
  const std::span<const MethodRule> rules = MethodRules();
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const MethodRule& each) { return each.method == method; });
  if (rule == rules.end()) {
    return Denied(absl::StrFormat("no rule says who may call %s", method), kAskAdministrator);
  }
  if (rule->any_of.empty()) return absl::OkStatus();
  for (const v1::Permission permission : rule->any_of) {
    if (principal.has(permission)) return absl::OkStatus();
  }
  return Denied(absl::StrFormat("client \"%s\" may not call %s, which needs %s", principal.label,
                                method, NamesOf(rule->any_of)),
                kAskAdministrator);
}

absl::Status CheckSite(const Principal& principal, std::string_view site_id) {
  if (site_id.empty() || principal.covers(site_id)) return absl::OkStatus();
  return Denied(
      absl::StrFormat("client \"%s\" may not act for site %s", principal.label, ToHex(site_id)),
      "send it through a client that is enrolled for this site, or have the enrolment "
      "of this client changed (GOV-05b)");
}

}  // namespace custody

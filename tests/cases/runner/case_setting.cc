// Steps that set the scene: people, devices, policy, clock.

#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/draft.h"
#include "client/draft/time_text.h"
#include "custody/v1/policy.pb.h"
#include "tests/cases/runner/case_steps.h"
#include "tests/support/default_policy.h"

namespace custody {
namespace {

absl::StatusOr<std::string> FindId(const CaseNode& node, CaseWorld* world, std::string_view name) {
  if (!name.starts_with("@")) return node.Error("a name is written @name");
  absl::StatusOr<std::string> id = world->names().Find(name.substr(1));
  if (!id.ok()) return node.Error(StdView(id.status().message()));
  return id;
}

// "NURSE at @site/clinic" as the word and the id; without " at " the id is empty.
struct WordAt {
  std::string word;
  std::string site_id;
};

absl::StatusOr<WordAt> ReadWordAt(const CaseNode& node, CaseWorld* world, std::string_view text) {
  WordAt read;
  const std::size_t at = text.find(" at ");
  read.word = std::string(text.substr(0, at));
  if (at == std::string_view::npos) return read;
  CUSTODY_ASSIGN_OR_RETURN(read.site_id, FindId(node, world, text.substr(at + 4)));
  return read;
}

absl::StatusOr<v1::RoleGrant> ReadGrant(const CaseNode& node, CaseWorld* world,
                                        std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(const WordAt read, ReadWordAt(node, world, text));
  const auto* role = FindEnumValue(*v1::Role_descriptor(), read.word);
  if (role == nullptr) return node.Error(absl::StrFormat("'%s' is no role", read.word));
  const bool everywhere = role->number() == v1::ROLE_QUALITY_ASSURANCE ||
                          role->number() == v1::ROLE_VIGILANCE_OFFICER ||
                          role->number() == v1::ROLE_RELEASE_AUTHORITY ||
                          role->number() == v1::ROLE_ADMINISTRATOR;
  if (read.site_id.empty() && !everywhere) {
    return node.Error(absl::StrFormat("%s is held at a site; write '%s at @site/...'", text, text));
  }
  v1::RoleGrant grant;
  grant.set_role(static_cast<v1::Role>(role->number()));
  grant.set_site_id(read.site_id);
  return grant;
}

// A person: roles, or a map of `roles`, `key_until`, or `same_person_as`.
absl::Status ReadPerson(const std::string& name, const CaseNode& entry, CaseWorld* world) {
  const bool simple = !entry.yaml().IsMap();
  if (!simple) {
    CUSTODY_RETURN_IF_ERROR(entry.CheckKeys("a person", {"roles", "key_until", "same_person_as"}));
    if (entry.Has("same_person_as")) {
      CUSTODY_ASSIGN_OR_RETURN(const std::string of, entry.At("same_person_as").Text());
      return world->AddAccount(name, of);
    }
  }
  YAML::Node wrapped;
  wrapped["roles"] = simple ? entry.yaml() : entry.yaml()["roles"];
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> roles,
                           CaseNode(entry.file(), wrapped).Texts("roles"));
  std::vector<v1::RoleGrant> grants;
  for (const std::string& role : roles) {
    CUSTODY_ASSIGN_OR_RETURN(grants.emplace_back(), ReadGrant(entry, world, role));
  }
  if (grants.empty()) return entry.Error("a person needs a role");
  std::int64_t key_until_ms = 0;
  if (!simple && entry.Has("key_until")) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string text, entry.At("key_until").Text());
    const absl::StatusOr<TimeText> time = ParseTimeText(text, world->now_ms());
    if (!time.ok()) return entry.Error(StdView(time.status().message()));
    key_until_ms = time->utc_ms;
  }
  return world->AddPerson(name, grants, key_until_ms);
}

// Numbers and words of the policy that the case changes.
absl::Status ChangePolicy(const CaseNode& node, CaseWorld* world, v1::Policy* policy) {
  DraftContext context = world->MakeContext();
  if (node.Has("change")) {
    CUSTODY_RETURN_IF_ERROR(FillMessage(node.At("change").yaml(), node.file(), &context, policy));
  }
  if (!node.Has("rows")) return absl::OkStatus();
  for (const auto& item : node.At("rows").yaml()) {
    v1::ReleaseRow* changed = nullptr;
    for (v1::ReleaseRow& row : *policy->mutable_rows()) {
      if (row.id() == item.first.Scalar()) changed = &row;
    }
    if (changed == nullptr) {
      return CaseNode(node.file(), item.first)
          .Error(absl::StrFormat("the policy has no row '%s'", item.first.Scalar()));
    }
    CUSTODY_RETURN_IF_ERROR(FillMessage(item.second, node.file(), &context, changed));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PlayPeople(const CaseNode& node, CaseWorld* world, StepResult* /*result*/) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this step", {"people", "why"}));
  for (const auto& item : node.At("people").yaml()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string name, CaseNode(node.file(), item.first).Text());
    const CaseNode entry(node.file(), item.second);
    const absl::Status added = ReadPerson(name, entry, world);
    if (absl::IsInvalidArgument(added)) return added;
    if (!added.ok()) return entry.Error(StdView(added.message()));
  }
  return absl::OkStatus();
}

absl::Status PlayDevices(const CaseNode& node, CaseWorld* world, StepResult* /*result*/) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this step", {"devices", "why"}));
  for (const auto& item : node.At("devices").yaml()) {
    const CaseNode entry(node.file(), item.second);
    CUSTODY_ASSIGN_OR_RETURN(const std::string name, CaseNode(node.file(), item.first).Text());
    CUSTODY_ASSIGN_OR_RETURN(const std::string text, entry.Text());
    CUSTODY_ASSIGN_OR_RETURN(const WordAt read, ReadWordAt(entry, world, text));
    const auto* type = FindEnumValue(*v1::DeviceType_descriptor(), read.word);
    if (type == nullptr || read.site_id.empty()) {
      return entry.Error("a device is written TYPE at @site, for example STORAGE at @site/clinic");
    }
    const absl::Status added =
        world->AddDevice(name, static_cast<v1::DeviceType>(type->number()), read.site_id);
    if (!added.ok()) return entry.Error(StdView(added.message()));
  }
  return absl::OkStatus();
}

absl::Status PlayPolicy(const CaseNode& node, CaseWorld* world, StepResult* /*result*/) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this step", {"policy", "change", "rows", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const std::string name, node.At("policy").Text());
  CUSTODY_ASSIGN_OR_RETURN(const std::string product_id, FindId(node.At("policy"), world, name));
  v1::Policy policy = DefaultPolicy(product_id);
  CUSTODY_RETURN_IF_ERROR(ChangePolicy(node, world, &policy));
  world->ledger().ActivatePolicy(product_id, policy);
  return absl::OkStatus();
}

absl::Status PlayClock(const CaseNode& node, CaseWorld* world, StepResult* /*result*/) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this step", {"clock", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.At("clock").Text());
  const absl::StatusOr<TimeText> time = ParseTimeText(text, world->now_ms());
  if (!time.ok()) return node.At("clock").Error(StdView(time.status().message()));
  const absl::Status moved = world->MoveTo(time->utc_ms);
  return moved.ok() ? moved : node.At("clock").Error(StdView(moved.message()));
}

absl::Status PlayAdvance(const CaseNode& node, CaseWorld* world, StepResult* /*result*/) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this step", {"advance", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.At("advance").Text());
  const absl::StatusOr<std::int64_t> duration = ParseDurationText(text);
  if (!duration.ok()) return node.At("advance").Error(StdView(duration.status().message()));
  return world->MoveTo(world->now_ms() + *duration);
}

}  // namespace custody

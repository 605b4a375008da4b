// deps: custody_draft yaml-cpp
//
// Policies: as text in YAML or JSON, and as the bytes that are published.

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "client/draft/draft.h"
#include "custody/v1/policy.pb.h"
#include "lifecycle/policy.h"
#include "lifecycle/wire_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(custody::AsText({data, size}));
  if (custody::ValidatePolicy(text).ok()) {
    custody::v1::Policy policy;
    CUSTODY_CHECK(policy.ParseFromString(text) && policy.SerializeAsString() == text);
    for (const custody::v1::ReleaseRow& row : policy.rows()) {
      CUSTODY_CHECK(custody::FindRow(policy, row.id()) != nullptr);
      static_cast<void>(custody::JudgeResult(row, custody::v1::QcResult()));
    }
  }
  YAML::Node node;
  try {
    node = YAML::Load(text);
  } catch (const YAML::Exception&) {
    return 0;
  }
  custody::NameBook names;
  custody::DraftContext context;
  context.names = &names;
  context.now_ms = 1'795'000'000'000;
  custody::v1::Policy policy;
  if (!custody::FillMessage(node, "policy.json", &context, &policy).ok()) return 0;
  const std::string bytes = policy.SerializeAsString();
  CUSTODY_CHECK(custody::CheckStrictEncoding(bytes, *custody::v1::Policy::descriptor()).ok());
  custody::ValidatePolicy(bytes).IgnoreError();
  return 0;
}

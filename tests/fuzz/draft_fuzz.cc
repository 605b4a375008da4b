// deps: custody_draft
//
// Drafts and policies as people write them, in YAML or JSON: any text is read or refused with a
// status, whatever the parser behind it throws; the event of a draft is strictly encoded.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/check.h"
#include "client/draft/draft.h"
#include "lifecycle/wire_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  custody::NameBook names;
  names.Define("site/hospital", std::string(16, 's')).IgnoreError();
  names.Define("donation/d1", std::string(16, 'd')).IgnoreError();
  custody::DraftContext context;
  context.names = &names;
  context.now_ms = 1'795'000'000'000;
  context.ledger = "custody.test.example/ledger";
  context.read_file = [](std::string_view path) -> absl::StatusOr<std::string> {
    return path == "there" ? absl::StatusOr<std::string>("content")
                           : absl::NotFoundError(std::string(path));
  };
  context.resolve = [](std::string_view, std::string_view word) -> absl::StatusOr<std::string> {
    return std::string(word);
  };
  const auto drafts = custody::ReadDrafts(custody::AsText({data, size}), "draft.yaml", &context);
  if (!drafts.ok()) {
    CUSTODY_CHECK(!drafts.status().message().empty());
    return 0;
  }
  for (const custody::Draft& draft : *drafts) {
    CUSTODY_CHECK(custody::CheckStrictEncoding(draft.event.SerializeAsString(),
                                               *custody::v1::Event::descriptor())
                      .ok());
  }
  return 0;
}

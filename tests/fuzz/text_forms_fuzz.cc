// deps: custody_draft
//
// Small texts of people and callers: times, durations, name books, signers of drafts, UUIDs, page
// tokens.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "client/draft/draft.h"
#include "client/draft/names.h"
#include "client/draft/time_text.h"
#include "crypto/random.h"
#include "daemon/services/page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kNowMs = 1'795'000'000'000;
  const std::string_view text = custody::AsText({data, size});
  const auto time = custody::ParseTimeText(text, kNowMs);
  if (time.ok()) static_cast<void>(custody::FormatTimeMs(time->utc_ms));
  custody::ParseDurationText(text).status().IgnoreError();
  custody::FillLabelTimes(text, kNowMs).status().IgnoreError();
  custody::ParseDraftSigner(text).status().IgnoreError();
  const auto book = custody::NameBook::Parse(text);
  if (book.ok()) {
    const auto again = custody::NameBook::Parse(book->ToJson());
    CUSTODY_CHECK(again.ok() && again->entries() == book->entries());
  }
  const auto uuid = custody::ParseUuid(text);
  if (uuid.ok()) CUSTODY_CHECK(custody::FormatUuid(*uuid) == text);
  const auto token = custody::ParsePageToken(text);
  if (token.ok()) {
    CUSTODY_CHECK(*custody::ParsePageToken(custody::FormatPageToken(*token)) == *token);
  }
  return 0;
}

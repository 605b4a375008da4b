// deps: custody_labels
//
// Whatever a scanner sends: no crash, a reason code with every refusal, and for what is accepted
// the laws of redaction.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "lifecycle/labels/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using custody::AsText;
  const std::string_view raw = AsText({data, size});
  for (const bool without_symbology : {false, true}) {
    const custody::ScanOptions options = {.gs1 = {.without_symbology = without_symbology}};
    const auto scan = custody::ParseScan(raw, options);
    if (!scan.ok()) {
      CUSTODY_CHECK(custody::ReasonCodeOf(scan.status()).starts_with("E_"));
      continue;
    }
    if (scan->container_key.has_value()) {
      const auto key = custody::ParseCanonicalKey(*scan->container_key);
      CUSTODY_CHECK(key.ok() && key->text == *scan->container_key);
    }
    if (scan->expiry.has_value()) CUSTODY_CHECK(scan->ExpiryInstant("UTC").ok());
    const auto redacted = custody::RedactScan(raw, "t", options);
    CUSTODY_CHECK(redacted.ok());
    const auto again = custody::ParseScan(*redacted, options);
    CUSTODY_CHECK(again.ok() && !custody::ContainsPersonalData(*again));
    CUSTODY_CHECK(again->container_key == scan->container_key);
    CUSTODY_CHECK(again->donation_key == scan->donation_key);
  }
  return 0;
}

// trust.toml and witness policies: any bytes are read or refused, never more.
// deps: custody_verify

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/verify/trust.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto no_files = [](const std::string& path) -> absl::StatusOr<std::string> {
    return absl::NotFoundError(path);
  };
  custody::ParseTrust(text, "trust.toml", no_files).status().IgnoreError();
  custody::ParseWitnessPolicy(text).status().IgnoreError();
  return 0;
}

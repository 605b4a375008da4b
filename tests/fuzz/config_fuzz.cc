// deps: custody_daemon_base
//
// custodyd.toml: read or refused with a place, and what was read can be written and read again.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "base/bytes.h"
#include "base/check.h"
#include "daemon/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  custody::Config config;
  const absl::Status read =
      custody::SetFromToml(custody::AsText({data, size}), "custodyd.toml", &config);
  if (!read.ok()) {
    CUSTODY_CHECK(absl::StartsWith(read.message(), "custodyd.toml"));
    return 0;
  }
  custody::ValidateConfig(config).IgnoreError();
  custody::Config again;
  for (const custody::ConfigKey& key : custody::KeysOf(&config)) {
    const std::string name(key.name);
    const std::size_t dot = name.find('.');
    const std::string text = "[" + name.substr(0, dot) + "]\n" + name.substr(dot + 1) + " = " +
                             custody::FormatValue(key) + "\n";
    CUSTODY_CHECK(custody::SetFromToml(text, "again", &again).ok());
  }
  const auto first = custody::KeysOf(&config);
  const auto second = custody::KeysOf(&again);
  for (std::size_t i = 0; i < first.size(); ++i) {
    CUSTODY_CHECK(custody::FormatValue(first[i]) == custody::FormatValue(second[i]));
  }
  return 0;
}

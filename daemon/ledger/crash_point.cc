#include "daemon/ledger/crash_point.h"

#ifdef CUSTODY_CRASH_POINTS

#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "base/check.h"

namespace custody {
namespace {

// What the environment asks for; an empty name for nothing.
struct Wanted {
  std::string name;
  unsigned long pass = 0;
};

Wanted ReadWanted() {
  const char* text = std::getenv("CUSTODYD_CRASH_POINT");
  if (text == nullptr) return {};
  const std::string value = text;
  const std::size_t colon = value.find(':');
  CUSTODY_CHECK(colon != std::string::npos);
  return {value.substr(0, colon), std::strtoul(value.c_str() + colon + 1, nullptr, 10)};
}

}  // namespace

void CrashPoint(std::string_view name) {
  static const Wanted wanted = ReadWanted();
  static std::atomic<unsigned long> passed{0};
  if (name != wanted.name || passed.fetch_add(1) + 1 != wanted.pass) return;
  ::raise(SIGKILL);
}

}  // namespace custody

#endif  // CUSTODY_CRASH_POINTS

// What this program is: version and commit.

#ifndef CUSTODY_DAEMON_BUILD_INFO_H_
#define CUSTODY_DAEMON_BUILD_INFO_H_

#include <string_view>

namespace custody {

std::string_view BuildVersion();
// "unknown" when it was not built from a repository.
std::string_view BuildCommit();

}  // namespace custody

#endif  // CUSTODY_DAEMON_BUILD_INFO_H_

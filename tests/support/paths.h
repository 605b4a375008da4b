// Where the project and its build are, for tests that read files or start programs. In one source
// of its own, so that no other command line names a folder and compiler caches serve every
// checkout.
//
// Threads: pure.

#ifndef CUSTODY_TESTS_SUPPORT_PATHS_H_
#define CUSTODY_TESTS_SUPPORT_PATHS_H_

#include <string>

namespace custody {

// A path below the root of the project or of the build.
std::string SourcePath(const std::string& relative);
std::string BinaryPath(const std::string& relative);

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_PATHS_H_

#include "tests/support/paths.h"

namespace custody {

std::string SourcePath(const std::string& relative) { return CUSTODY_SOURCE_DIR "/" + relative; }

std::string BinaryPath(const std::string& relative) { return CUSTODY_BINARY_DIR "/" + relative; }

}  // namespace custody

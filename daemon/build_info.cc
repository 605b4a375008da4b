#include "daemon/build_info.h"

namespace custody {

std::string_view BuildVersion() { return CUSTODY_VERSION; }
std::string_view BuildCommit() { return CUSTODY_COMMIT; }

}  // namespace custody

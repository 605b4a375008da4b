#include "tests/support/temp_folder.h"

#include <stdlib.h>

#include <filesystem>
#include <system_error>

#include "base/check.h"

namespace custody {

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "custody_XXXXXX").string();
  CUSTODY_CHECK(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::Path(std::string_view name) const {
  return (std::filesystem::path(path_) / name).string();
}

}  // namespace custody

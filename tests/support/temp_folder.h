// A folder of its own for one test, removed with everything in it at the end.
//
// Threads: none; one owner at a time.

#ifndef CUSTODY_TESTS_SUPPORT_TEMP_FOLDER_H_
#define CUSTODY_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <string>
#include <string_view>

namespace custody {

class TempFolder {
 public:
  // Stops the process if the folder cannot be made.
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();

  const std::string& path() const { return path_; }
  // The path of a file or folder in it, which need not exist.
  std::string Path(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_TEMP_FOLDER_H_

// What a power cut would leave of a folder: of each file the bytes that were synced, under the
// names that were there when the folder was last synced. It is kept beside the folder, up to date
// after every call, so it is there however the process ends.
//
// It is stricter than most disks: a new file whose folder was not synced is gone, and a file that
// was deleted or renamed is back.
//
// Threads: any.
// Limits:  files are only appended to, as RocksDB does; sub-folders are not followed.

#ifndef CUSTODY_TESTS_SUPPORT_SYNCED_DISK_H_
#define CUSTODY_TESTS_SUPPORT_SYNCED_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"

namespace custody {

class SyncedDisk {
 public:
  // What is in `folder` (which may be absent) counts as synced. `shadow` must not exist; after a
  // power cut `shadow`/names is the folder. Stops the process if it cannot be written.
  SyncedDisk(std::string folder, std::string shadow);

  // After the call was made.
  void Made(const std::string& file);
  void Deleted(const std::string& file);
  void Renamed(const std::string& from, const std::string& to);
  void Linked(const std::string& from, const std::string& to);
  void Synced(const std::string& file);
  void FolderSynced(const std::string& folder);
  // What was not synced of the file is taken out of it; its length stays.
  void LoseUnsynced(const std::string& file);

 private:
  struct Inode {
    std::string path;  // In the shadow.
    std::uint64_t synced_bytes = 0;
  };
  // The name within the folder; empty if it is not in it.
  std::string NameOf(const std::string& file) const;
  std::shared_ptr<Inode> NewInode() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SyncLocked(const std::string& file, Inode& inode) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SyncNamesLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string folder_;
  const std::string shadow_;
  Mutex mutex_;
  std::uint64_t next_inode_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::shared_ptr<Inode>> names_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Inode>> synced_names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_SYNCED_DISK_H_

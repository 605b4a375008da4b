#include "tests/support/synced_disk.h"

#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "base/check.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

// Adds the bytes of `from` beyond `begin` to the end of `to`; returns how many there are in all.
std::uint64_t CopyFrom(const std::string& from, std::uint64_t begin, const std::string& to) {
  std::error_code error;
  const std::uint64_t end = fs::file_size(from, error);
  if (error || end <= begin) return begin;
  std::vector<char> bytes(end - begin);
  std::ifstream in(from, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(begin));
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::ofstream out(to, std::ios::binary | std::ios::app);
  out.write(bytes.data(), in.gcount());
  out.close();
  CUSTODY_CHECK(out.good());
  return begin + static_cast<std::uint64_t>(in.gcount());
}

}  // namespace

SyncedDisk::SyncedDisk(std::string folder, std::string shadow)
    : folder_(std::move(folder)), shadow_(std::move(shadow)) {
  fs::create_directories(shadow_ + "/names");
  fs::create_directories(shadow_ + "/inodes");
  const MutexLock lock(mutex_);
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder_, error)) {
    if (!file.is_regular_file()) continue;
    const std::shared_ptr<Inode> inode = NewInode();
    SyncLocked(file.path().string(), *inode);
    names_[file.path().filename().string()] = inode;
  }
  SyncNamesLocked();
}

std::string SyncedDisk::NameOf(const std::string& file) const {
  const fs::path path = fs::path(file).lexically_normal();
  return path.parent_path() == fs::path(folder_) ? path.filename().string() : "";
}

std::shared_ptr<SyncedDisk::Inode> SyncedDisk::NewInode() {
  auto inode = std::make_shared<Inode>();
  inode->path = shadow_ + "/inodes/" + std::to_string(next_inode_++);
  CUSTODY_CHECK(std::ofstream(inode->path).good());
  return inode;
}

void SyncedDisk::Made(const std::string& file) {
  const std::string name = NameOf(file);
  const MutexLock lock(mutex_);
  if (!name.empty()) names_[name] = NewInode();
}

void SyncedDisk::Deleted(const std::string& file) {
  const MutexLock lock(mutex_);
  names_.erase(NameOf(file));
}

void SyncedDisk::Renamed(const std::string& from, const std::string& to) {
  Linked(from, to);
  Deleted(from);
}

void SyncedDisk::Linked(const std::string& from, const std::string& to) {
  const std::string name = NameOf(to);
  const MutexLock lock(mutex_);
  const auto found = names_.find(NameOf(from));
  if (!name.empty() && found != names_.end()) names_[name] = found->second;
}

void SyncedDisk::SyncLocked(const std::string& file, Inode& inode) {
  inode.synced_bytes = CopyFrom(file, inode.synced_bytes, inode.path);
}

void SyncedDisk::Synced(const std::string& file) {
  const MutexLock lock(mutex_);
  const auto found = names_.find(NameOf(file));
  if (found != names_.end()) SyncLocked(file, *found->second);
}

void SyncedDisk::SyncNamesLocked() {
  for (const auto& [name, inode] : synced_names_) {
    const auto kept = names_.find(name);
    if (kept == names_.end() || kept->second != inode) fs::remove(shadow_ + "/names/" + name);
  }
  for (const auto& [name, inode] : names_) {
    const auto known = synced_names_.find(name);
    if (known != synced_names_.end() && known->second == inode) continue;
    fs::create_hard_link(inode->path, shadow_ + "/names/" + name);
  }
  synced_names_ = names_;
}

void SyncedDisk::FolderSynced(const std::string& folder) {
  if (fs::path(folder + "/").lexically_normal() != fs::path(folder_ + "/").lexically_normal()) {
    return;
  }
  const MutexLock lock(mutex_);
  SyncNamesLocked();
}

void SyncedDisk::LoseUnsynced(const std::string& file) {
  const MutexLock lock(mutex_);
  const auto found = names_.find(NameOf(file));
  if (found == names_.end()) return;
  std::error_code error;
  const std::uint64_t size = fs::file_size(file, error);
  // Shorter, then as long as before: what was cut off is zeros now.
  fs::resize_file(file, found->second->synced_bytes, error);
  fs::resize_file(file, size, error);
}

}  // namespace custody

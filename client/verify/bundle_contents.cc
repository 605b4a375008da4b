#include "client/verify/bundle_contents.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/wire_check.h"

namespace custody {
namespace {

constexpr std::uint32_t kBundleFormatVersion = 1;

absl::Status CheckCount(std::string_view what, int count, std::size_t count_max) {
  if (static_cast<std::size_t>(count) > count_max) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the bundle has %d %s, at most %d", count, what, count_max));
  }
  return absl::OkStatus();
}

absl::Status ReadLeaf(const v1::BundleEntry& source, BundleLeaf* leaf) {
  if (source.entry().size() > kEntryBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("it has %d bytes, at most %d", source.entry().size(), kEntryBytesMax));
  }
  CUSTODY_RETURN_IF_ERROR(CheckStrictEncoding(source.entry(), *v1::Entry::descriptor()));
  if (!leaf->entry.ParseFromString(source.entry())) {
    return absl::InvalidArgumentError("it does not parse");
  }
  if (leaf->entry.index() != source.index()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("it says that its index is %d", leaf->entry.index()));
  }
  if (leaf->entry.content_case() == v1::Entry::CONTENT_NOT_SET) {
    return absl::InvalidArgumentError("it holds neither an event nor a seal");
  }
  leaf->index = source.index();
  leaf->leaf_hash = LeafHash(source.entry());
  return absl::OkStatus();
}

absl::Status ReadLeaves(BundleContents* contents) {
  contents->leaves.reserve(static_cast<std::size_t>(contents->bundle.entries_size()));
  for (const v1::BundleEntry& source : contents->bundle.entries()) {
    BundleLeaf leaf;
    absl::Status status = ReadLeaf(source, &leaf);
    if (status.ok() && !contents->leaves.empty()) {
      const BundleLeaf& before = contents->leaves.back();
      if (leaf.index <= before.index) {
        status = absl::InvalidArgumentError("it is out of order");
      } else if (leaf.entry.recorded_at_ms() < before.entry.recorded_at_ms()) {
        status = absl::InvalidArgumentError("its time of recording goes back");
      }
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("entry %d: %s", source.index(), std::string(status.message())));
    }
    contents->leaves.push_back(std::move(leaf));
  }
  return absl::OkStatus();
}

absl::Status ReadChains(BundleContents* contents) {
  for (const v1::BundleSubject& subject : contents->bundle.subjects()) {
    const SubjectKey key = KeyOf(subject.subject());
    CUSTODY_RETURN_IF_ERROR(ValidateSubjectId(key.kind, key.id));
    std::vector<std::uint64_t> indices(subject.indices().begin(), subject.indices().end());
    if (!contents->chains.emplace(key, std::move(indices)).second) {
      return absl::InvalidArgumentError(absl::StrFormat("%s stands twice", Describe(key)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

const BundleLeaf* BundleContents::Find(std::uint64_t index) const {
  const auto found =
      std::lower_bound(leaves.begin(), leaves.end(), index,
                       [](const BundleLeaf& leaf, std::uint64_t i) { return leaf.index < i; });
  return found != leaves.end() && found->index == index ? &*found : nullptr;
}

absl::StatusOr<v1::Bundle> ParseBundle(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kBundleBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a bundle of %d bytes, want 1..%d", bytes.size(), kBundleBytesMax));
  }
  v1::Bundle bundle;
  if (!bundle.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("these bytes are no bundle");
  }
  if (bundle.format_version() != kBundleFormatVersion) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a bundle of format version %d; this program reads %d",
                        bundle.format_version(), kBundleFormatVersion));
  }
  if (bundle.entries().empty()) {
    return absl::InvalidArgumentError("the bundle has no entries, so it shows nothing");
  }
  CUSTODY_RETURN_IF_ERROR(CheckCount("entries", bundle.entries_size(), kBundleEntriesLimit));
  CUSTODY_RETURN_IF_ERROR(CheckCount("subjects", bundle.subjects_size(), kBundleSubjectsLimit));
  CUSTODY_RETURN_IF_ERROR(
      CheckCount("index proofs", bundle.index_proofs_size(), kBundleSubjectsLimit));
  CUSTODY_RETURN_IF_ERROR(CheckCount("nodes", bundle.nodes_size(), kBundleNodesLimit));
  return bundle;
}

void StepLog::Add(char level, std::string_view id, Outcome outcome, std::string detail) {
  report_->steps.push_back({level, std::string(id), outcome, std::move(detail)});
}

bool ReadContents(BundleContents* contents, StepLog* log) {
  absl::Status status = ReadLeaves(contents);
  if (status.ok()) {
    status = ReadChains(contents);
  }
  if (!status.ok()) {
    log->Add('A', "entries", Outcome::kProofFalse, std::string(status.message()));
    return false;
  }
  log->Add('A', "entries", Outcome::kVerified,
           absl::StrFormat("%d entries, strictly encoded and in order", contents->leaves.size()));
  return true;
}

}  // namespace custody

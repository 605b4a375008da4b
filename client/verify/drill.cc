#include "client/verify/drill.h"

#include <bit>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/verify/bundle_contents.h"
#include "client/verify/range_roots.h"

namespace custody {
namespace {

// Puts the nodes that the root of [begin, end) needs when only the entries below `from` and the
// last one are shown.
class ShownNodes {
 public:
  ShownNodes(const RangeRoots& roots, const BundleContents& contents, std::uint64_t from,
             v1::Bundle* shown)
      : roots_(roots), contents_(contents), from_(from), shown_(*shown) {}

  absl::Status Put(std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t count = end - begin;
    const bool shows = ShowsEntry(begin, end);
    if (count == 1 && shows) return absl::OkStatus();
    if (!std::has_single_bit(count) || shows) {
      const std::uint64_t split = begin + std::bit_floor(count - 1);
      CUSTODY_RETURN_IF_ERROR(Put(begin, split));
      return Put(split, end);
    }
    CUSTODY_ASSIGN_OR_RETURN(const Digest hash, roots_.Root(begin, end));
    v1::TreeNode& node = *shown_.add_nodes();
    node.set_level(static_cast<std::uint32_t>(std::countr_zero(count)));
    node.set_index(begin >> node.level());
    node.set_hash(std::string(hash.view()));
    return absl::OkStatus();
  }

 private:
  bool ShowsEntry(std::uint64_t begin, std::uint64_t end) const {
    for (const BundleLeaf& leaf : contents_.leaves) {
      const bool is_shown = leaf.index < from_ || leaf.index == contents_.bundle.seal_index();
      if (is_shown && leaf.index >= begin && leaf.index < end) return true;
    }
    return false;
  }

  const RangeRoots& roots_;
  const BundleContents& contents_;
  const std::uint64_t from_;
  v1::Bundle& shown_;
};

absl::StatusOr<BundleContents> Read(v1::Bundle bundle) {
  BundleContents contents;
  contents.bundle = std::move(bundle);
  VerificationReport report;
  StepLog log(&report);
  if (contents.bundle.entries().empty() || !ReadContents(&contents, &log)) {
    return absl::InvalidArgumentError("the bundle cannot be read; verify it to see why");
  }
  return contents;
}

}  // namespace

absl::StatusOr<v1::Bundle> WithholdEntries(v1::Bundle bundle, std::uint64_t from) {
  CUSTODY_ASSIGN_OR_RETURN(const BundleContents contents, Read(std::move(bundle)));
  v1::Bundle shown = contents.bundle;
  const std::uint64_t seal = contents.bundle.seal_index();
  shown.clear_entries();
  shown.clear_nodes();
  for (const v1::BundleEntry& entry : contents.bundle.entries()) {
    if (entry.index() < from || entry.index() == seal) *shown.add_entries() = entry;
  }
  if (shown.entries_size() == contents.bundle.entries_size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the bundle carries nothing from entry %d on", from));
  }
  for (v1::BundleSubject& subject : *shown.mutable_subjects()) {
    while (!subject.indices().empty() && *subject.indices().rbegin() >= from) {
      subject.mutable_indices()->RemoveLast();
    }
  }
  RangeRoots roots(contents);
  CUSTODY_RETURN_IF_ERROR(roots.ReadNodes());
  CUSTODY_RETURN_IF_ERROR(ShownNodes(roots, contents, from, &shown).Put(0, seal + 1));
  return shown;
}

absl::StatusOr<v1::Bundle> AlterEntry(v1::Bundle bundle) {
  for (int i = bundle.entries_size() - 1; i >= 0; --i) {
    v1::BundleEntry& entry = *bundle.mutable_entries(i);
    if (entry.index() == bundle.seal_index() || entry.entry().empty()) continue;
    char& middle = (*entry.mutable_entry())[entry.entry().size() / 2];
    middle = static_cast<char>(middle ^ 1);
    return bundle;
  }
  return absl::InvalidArgumentError("the bundle holds no event");
}

}  // namespace custody

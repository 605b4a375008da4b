#include "daemon/ledger/repair_plan.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/tiles.h"
#include "daemon/ledger/schema.h"
#include "daemon/ledger/scrub_checks.h"

namespace custody {
namespace {

constexpr std::uint64_t kProgressEvery = 1'024;

// Whom to believe where two disagree and nothing else decides; the root judges it at the end.
struct Preference {
  bool entry_over_tile = false;
  bool other_over_own = false;
};

// A value; nullopt if it is missing or damaged.
absl::StatusOr<std::optional<std::string>> ReadIfWhole(const ReadView& view,
                                                       const std::string& key) {
  absl::StatusOr<std::optional<std::string>> bytes = view.Get(key);
  if (absl::IsDataLoss(bytes.status())) return std::optional<std::string>();
  return bytes;
}

class Planner {
 public:
  Planner(const ReadView& view, const Checkpoint& head, std::span<const Checkpoint> known,
          const EntryReader& other, Preference preference)
      : view_(view), head_(head), known_(known), other_(other), preference_(preference) {}

  // kDataLoss: this preference does not lead to the roots.
  absl::StatusOr<RepairPlan> Run(const RebuildProgress& progress);

 private:
  // What each of the three says about a leaf.
  struct Voices {
    std::optional<Digest> tile;
    std::optional<Digest> own;
    std::optional<Digest> other;
  };

  absl::StatusOr<Voices> Hear(std::uint64_t index);
  absl::StatusOr<std::optional<Digest>> InTile(std::uint64_t index);
  absl::StatusOr<std::optional<Digest>> InOther(std::uint64_t index);
  // The leaf, and what is to be done about it; nullopt if nobody knows it.
  std::optional<Digest> Decide(std::uint64_t index, const Voices& voices);
  std::optional<Digest> DecideWithoutTile(std::uint64_t index, const Voices& voices);
  void Lose(std::uint64_t index, const Voices& voices);
  absl::Status CheckRoot(std::uint64_t size, const Digest& root) const;
  absl::Status CheckRootsHere();

  const ReadView& view_;
  const Checkpoint& head_;
  const std::span<const Checkpoint> known_;
  const EntryReader& other_;
  const Preference preference_;
  RepairPlan plan_;
  TileTree tree_;
  std::optional<std::uint64_t> tile_index_;
  std::string tile_;  // Empty: missing or damaged.
};

absl::StatusOr<std::optional<Digest>> Planner::InTile(std::uint64_t index) {
  const std::uint64_t tile = index / kTileWidth;
  if (tile >= FullTileCount(0, head_.size)) return std::optional<Digest>();
  if (tile_index_ != tile) {
    tile_index_ = tile;
    CUSTODY_ASSIGN_OR_RETURN(auto bytes, ReadIfWhole(view_, KeyOfTile(0, tile)));
    tile_ = bytes.has_value() && bytes->size() == kTileSizeBytes ? *std::move(bytes) : "";
    if (tile_.empty()) plan_.tiles.insert(tile);
  }
  if (tile_.empty()) return std::optional<Digest>();
  CUSTODY_ASSIGN_OR_RETURN(const Digest leaf,
                           Digest::FromBytes(std::string_view(tile_).substr(
                               (index % kTileWidth) * Digest::kSizeBytes, Digest::kSizeBytes)));
  return std::optional<Digest>(leaf);
}

absl::StatusOr<std::optional<Digest>> Planner::InOther(std::uint64_t index) {
  if (!other_) return std::optional<Digest>();
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, other_(index));
  return bytes.has_value() ? std::optional<Digest>(LeafHash(*bytes)) : std::nullopt;
}

absl::StatusOr<Planner::Voices> Planner::Hear(std::uint64_t index) {
  Voices voices;
  CUSTODY_ASSIGN_OR_RETURN(voices.tile, InTile(index));
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, ReadIfWhole(view_, KeyOfEntry(index)));
  if (bytes.has_value()) voices.own = LeafHash(*bytes);
  // The other copy is asked where it may matter: it may be slow.
  const bool agreed = voices.own.has_value() && voices.own == voices.tile;
  if (agreed) return voices;
  CUSTODY_ASSIGN_OR_RETURN(voices.other, InOther(index));
  return voices;
}

void Planner::Lose(std::uint64_t index, const Voices& voices) {
  plan_.lost.push_back(DamagedEntry(
      index, voices.other.has_value() ? "the other copy's entry does not hash to the tree either"
             : other_                 ? "the other copy does not have it, or cannot read it"
                                      : "no other copy was named"));
}

std::optional<Digest> Planner::DecideWithoutTile(std::uint64_t index, const Voices& voices) {
  const bool take_other = voices.other.has_value() && voices.other != voices.own &&
                          (!voices.own.has_value() || preference_.other_over_own);
  if (take_other) {
    plan_.restore.emplace(index, *voices.other);
    return voices.other;
  }
  if (!voices.own.has_value()) Lose(index, voices);
  return voices.own;
}

std::optional<Digest> Planner::Decide(std::uint64_t index, const Voices& voices) {
  if (!voices.tile.has_value()) return DecideWithoutTile(index, voices);
  if (voices.own == voices.tile) return voices.tile;
  if (voices.other == voices.tile) {
    plan_.restore.emplace(index, *voices.tile);
    return voices.tile;
  }
  const bool tile_is_wrong =
      voices.own.has_value() && (voices.own == voices.other || preference_.entry_over_tile);
  if (tile_is_wrong) {
    plan_.tiles.insert(index / kTileWidth);
    return voices.own;
  }
  Lose(index, voices);
  return voices.tile;
}

absl::Status Planner::CheckRoot(std::uint64_t size, const Digest& root) const {
  if (tree_.size() != size || tree_.Root() == root) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("the entries do not have the root that is signed for %d of them", size));
}

absl::Status Planner::CheckRootsHere() {
  for (const Checkpoint& checkpoint : known_) {
    CUSTODY_RETURN_IF_ERROR(CheckRoot(checkpoint.size, checkpoint.root));
  }
  return CheckRoot(head_.size, head_.root);
}

absl::StatusOr<RepairPlan> Planner::Run(const RebuildProgress& progress) {
  std::vector<FullTile> completed;
  for (std::uint64_t index = 0; index < head_.size; ++index) {
    CUSTODY_ASSIGN_OR_RETURN(const Voices voices, Hear(index));
    const std::optional<Digest> leaf = Decide(index, voices);
    if (!leaf.has_value()) {
      return absl::DataLossError(absl::StrFormat(
          "entry %d is lost here and in the other copy, and so is its hash: name a copy that holds "
          "it",
          index));
    }
    tree_.Append(*leaf, &completed);
    completed.clear();
    CUSTODY_RETURN_IF_ERROR(CheckRootsHere());
    if (index % kProgressEvery == 0 && progress && !progress(index, head_.size)) {
      return absl::CancelledError("the repair was given up");
    }
  }
  plan_.entries = head_.size;
  return std::move(plan_);
}

}  // namespace

absl::StatusOr<RepairPlan> PlanRepair(const ReadView& view, const Checkpoint& head,
                                      std::span<const Checkpoint> signed_checkpoints,
                                      const EntryReader& other, const RebuildProgress& progress) {
  constexpr Preference kPreferences[] = {
      {false, false}, {false, true}, {true, false}, {true, true}};
  absl::Status first;
  for (const Preference& preference : kPreferences) {
    absl::StatusOr<RepairPlan> plan =
        Planner(view, head, signed_checkpoints, other, preference).Run(progress);
    if (plan.ok() || !absl::IsDataLoss(plan.status())) return plan;
    if (first.ok()) first = plan.status();
  }
  return first;
}

}  // namespace custody

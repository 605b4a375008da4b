#include "daemon/ledger/known_damage.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

// Up to so many places of a chain are read one after the other; a longer one is searched.
constexpr std::uint64_t kShortChain = 64;

// The places of one subject's chain. An unreadable one is damage, not an error.
class ChainPlaces {
 public:
  ChainPlaces(const ReadView& view, const SubjectKey& subject) : view_(view), subject_(subject) {}

  // Errors: as OfSubject().
  absl::StatusOr<std::uint64_t> Count() {
    std::string prefix = KeyOfChain(subject_, 0);
    const std::string begin = prefix;
    prefix.resize(prefix.size() - 8);
    const absl::StatusOr<std::optional<KeyValue>> last = view_.Last(begin, PrefixEnd(prefix));
    if (absl::IsDataLoss(last.status())) return Broken(StdView(last.status().message()));
    CUSTODY_RETURN_IF_ERROR(last.status());
    if (!last->has_value()) return std::uint64_t{0};
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t position, IndexInKey((*last)->key));
    return position + 1;
  }
  // The entry at a position; 0 once damage() is set.
  absl::StatusOr<std::uint64_t> At(std::uint64_t position) {
    const absl::StatusOr<std::optional<std::string>> bytes =
        view_.Get(KeyOfChain(subject_, position));
    if (absl::IsDataLoss(bytes.status())) return Broken(StdView(bytes.status().message()));
    CUSTODY_RETURN_IF_ERROR(bytes.status());
    if (!bytes->has_value()) return Broken(absl::StrFormat("position %d is missing", position));
    const absl::StatusOr<std::uint64_t> index = DecodeU64(**bytes);
    return index.ok() ? *index : Broken(StdView(index.status().message()));
  }
  const std::optional<Damage>& damage() const { return damage_; }

 private:
  std::uint64_t Broken(std::string_view what) {
    damage_ = Damage{absl::StrFormat("the chain of %s", Describe(subject_)), std::string(what),
                     std::nullopt, subject_};
    return 0;
  }

  const ReadView& view_;
  const SubjectKey& subject_;
  std::optional<Damage> damage_;
};

// Whether the chain of `count` places holds the entry.
absl::StatusOr<bool> Holds(ChainPlaces& chain, std::uint64_t count, std::uint64_t entry) {
  std::uint64_t low = 0;
  std::uint64_t high = count;
  while (low < high && !chain.damage().has_value()) {
    const std::uint64_t middle = low + (high - low) / 2;
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, chain.At(middle));
    if (index == entry) return !chain.damage().has_value();
    if (index < entry) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

using Entries = std::map<std::uint64_t, Damage>;

absl::StatusOr<std::optional<Damage>> SearchChain(ChainPlaces& chain, std::uint64_t count,
                                                  const Entries& entries) {
  for (const auto& [entry, damage] : entries) {
    CUSTODY_ASSIGN_OR_RETURN(const bool holds, Holds(chain, count, entry));
    if (chain.damage().has_value()) return chain.damage();
    if (holds) return std::optional<Damage>(damage);
  }
  return std::optional<Damage>();
}

absl::StatusOr<std::optional<Damage>> ReadChain(ChainPlaces& chain, std::uint64_t count,
                                                const Entries& entries) {
  for (std::uint64_t position = 0; position < count; ++position) {
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, chain.At(position));
    if (chain.damage().has_value()) return chain.damage();
    const auto found = entries.find(index);
    if (found != entries.end()) return std::optional<Damage>(found->second);
  }
  return std::optional<Damage>();
}

}  // namespace

void KnownDamage::Rebuild() const {
  auto held_back = std::make_shared<HeldBack>();
  for (const auto& [where, place] : places_) {
    const Damage& damage = place.damage;
    if (damage.subject.has_value()) {
      held_back->subjects.emplace(*damage.subject, damage);
    } else if (damage.entry.has_value()) {
      held_back->entries.emplace(*damage.entry, damage);
    }
  }
  held_back->all = held_back->entries.size() > kDamagedEntriesMax;
  holds_back_.store(!held_back->entries.empty() || !held_back->subjects.empty(),
                    std::memory_order_release);
  held_back_ = std::move(held_back);
}

bool KnownDamage::Add(const DamagedPlace& place) {
  const MutexLock lock(mutex_);
  const auto [found, added] = places_.emplace(place.damage.where, place);
  if (!added) {
    found->second.pass = place.pass;
    return false;
  }
  held_back_ = nullptr;
  if (place.damage.entry.has_value() || place.damage.subject.has_value()) {
    holds_back_.store(true, std::memory_order_release);
  }
  return true;
}

void KnownDamage::Forget(const std::string& where) {
  const MutexLock lock(mutex_);
  if (places_.erase(where) > 0) Rebuild();
}

void KnownDamage::ForgetBefore(std::uint64_t pass) {
  const MutexLock lock(mutex_);
  if (std::erase_if(places_, [pass](const auto& item) { return item.second.pass < pass; }) > 0) {
    Rebuild();
  }
}

std::uint64_t KnownDamage::count() const {
  const MutexLock lock(mutex_);
  return places_.size();
}

std::vector<DamagedPlace> KnownDamage::Places(std::size_t count_max) const {
  const MutexLock lock(mutex_);
  std::vector<DamagedPlace> places;
  for (const auto& [where, place] : places_) {
    if (places.size() == count_max) break;
    places.push_back(place);
  }
  return places;
}

std::shared_ptr<const KnownDamage::HeldBack> KnownDamage::held_back() const {
  const MutexLock lock(mutex_);
  if (held_back_ == nullptr) Rebuild();
  return held_back_;
}

std::optional<Damage> KnownDamage::OfEntry(std::uint64_t index) const {
  if (!holds_back()) return std::nullopt;
  const std::shared_ptr<const HeldBack> known = held_back();
  const auto found = known->entries.find(index);
  return found == known->entries.end() ? std::nullopt : std::optional<Damage>(found->second);
}

absl::StatusOr<std::optional<Damage>> KnownDamage::OfSubject(const ReadView& view,
                                                             const SubjectKey& subject) const {
  if (!holds_back()) return std::optional<Damage>();
  const std::shared_ptr<const HeldBack> known = held_back();
  if (known->all) return std::optional<Damage>(known->entries.begin()->second);
  const auto found = known->subjects.find(subject);
  if (found != known->subjects.end()) return std::optional<Damage>(found->second);
  ChainPlaces chain(view, subject);
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t count, chain.Count());
  if (chain.damage().has_value()) return chain.damage();
  return count <= kShortChain || known->entries.size() > kShortChain
             ? ReadChain(chain, count, known->entries)
             : SearchChain(chain, count, known->entries);
}

void KnownDamage::set_progress(const ScrubProgress& progress) {
  const MutexLock lock(mutex_);
  progress_ = progress;
}

ScrubProgress KnownDamage::progress() const {
  const MutexLock lock(mutex_);
  return progress_;
}

}  // namespace custody

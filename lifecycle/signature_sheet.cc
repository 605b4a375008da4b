// Maximum bipartite matching by augmenting paths (Kuhn): at most 8 signatures, so nothing cleverer
// is needed. A place that is filled stays filled while others are tried, so the order of the places
// is their priority.

#include "lifecycle/signature_sheet.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace custody {
namespace {

class Matcher {
 public:
  Matcher(const v1::CatalogueRow& row, std::span<const ParsedSignature> signatures,
          std::span<const EventSigner> signers)
      : row_(row), signatures_(signatures), signers_(signers), place_of_(signers.size()) {}

  bool Fill(std::size_t place) {
    std::vector<bool> tried(signers_.size(), false);
    return Augment(place, &tried);
  }

  bool Fits(std::size_t place, std::size_t signer) const {
    if (!signers_[signer].authorised) return false;
    if (signatures_[signer].batch && place != 0) return false;
    const auto& rules = row_.signatures(static_cast<int>(place)).any_of();
    return std::any_of(rules.begin(), rules.end(), [&](const v1::SignerRule& rule) {
      return rule.role() == signers_[signer].role && rule.meaning() == signers_[signer].meaning;
    });
  }

  bool HasPlace(std::size_t signer) const { return place_of_[signer].has_value(); }

  bool PersonHasPlace(const SubjectKey& person) const {
    for (std::size_t i = 0; i < signers_.size(); ++i) {
      if (place_of_[i].has_value() && signers_[i].key == person) return true;
    }
    return false;
  }

 private:
  // All signatures of one person are one vertex: to take any of them, the place that the person has
  // must move to somebody else, or be this signature's own.
  bool Augment(std::size_t place, std::vector<bool>* tried) {
    for (std::size_t signer = 0; signer < signers_.size(); ++signer) {
      if (!Fits(place, signer) || (*tried)[signer]) continue;
      const std::optional<std::size_t> holder = HolderOf(signers_[signer].key);
      MarkPerson(signers_[signer].key, tried);
      if (!holder.has_value()) {
        place_of_[signer] = place;
        return true;
      }
      const std::size_t moved = *place_of_[*holder];
      if (Augment(moved, tried)) {
        place_of_[*holder].reset();
        place_of_[signer] = place;
        return true;
      }
    }
    return false;
  }

  std::optional<std::size_t> HolderOf(const SubjectKey& person) const {
    for (std::size_t i = 0; i < signers_.size(); ++i) {
      if (place_of_[i].has_value() && signers_[i].key == person) return i;
    }
    return std::nullopt;
  }

  void MarkPerson(const SubjectKey& person, std::vector<bool>* tried) const {
    for (std::size_t i = 0; i < signers_.size(); ++i) {
      if (signers_[i].key == person) (*tried)[i] = true;
    }
  }

  const v1::CatalogueRow& row_;
  std::span<const ParsedSignature> signatures_;
  std::span<const EventSigner> signers_;
  std::vector<std::optional<std::size_t>> place_of_;
};

// Places that no policy can waive first.
std::vector<std::size_t> PlacesToFill(const v1::CatalogueRow& row) {
  std::vector<std::size_t> places(static_cast<std::size_t>(row.signatures_size()));
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_partition(places.begin(), places.end(), [&row](std::size_t place) {
    return !row.signatures(static_cast<int>(place)).waivable();
  });
  return places;
}

}  // namespace

SheetMatch MatchSheet(const v1::CatalogueRow& row, std::span<const ParsedSignature> signatures,
                      std::span<const EventSigner> signers) {
  Matcher matcher(row, signatures, signers);
  SheetMatch match;
  for (const std::size_t place : PlacesToFill(row)) {
    if (matcher.Fill(place)) {
      ++match.filled_count;
    } else {
      match.open_places.push_back(static_cast<std::uint32_t>(place));
    }
  }
  std::sort(match.open_places.begin(), match.open_places.end());
  for (std::size_t signer = 0; signer < signers.size(); ++signer) {
    if (matcher.HasPlace(signer)) continue;
    match.without_place.push_back(signer);
    const bool fits_open =
        std::any_of(match.open_places.begin(), match.open_places.end(),
                    [&](std::uint32_t place) { return matcher.Fits(place, signer); });
    if (fits_open && matcher.PersonHasPlace(signers[signer].key)) match.same_person = true;
  }
  return match;
}

}  // namespace custody

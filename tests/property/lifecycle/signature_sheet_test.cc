// The matching against trying everything.

#include "lifecycle/signature_sheet.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace custody {
namespace {

constexpr v1::Role kRoles[] = {v1::ROLE_OPERATOR, v1::ROLE_SUPERVISOR, v1::ROLE_QUALITY_ASSURANCE};

// Most places that distinct persons can fill, by trying every signer for every place.
std::size_t BestCount(const v1::CatalogueRow& row, const std::vector<EventSigner>& signers,
                      std::size_t place, std::vector<SubjectKey> taken) {
  if (place == static_cast<std::size_t>(row.signatures_size())) return 0;
  std::size_t best = BestCount(row, signers, place + 1, taken);
  for (const EventSigner& signer : signers) {
    if (!signer.authorised) continue;
    if (std::find(taken.begin(), taken.end(), signer.key) != taken.end()) continue;
    const auto& rules = row.signatures(static_cast<int>(place)).any_of();
    const bool fits = std::any_of(rules.begin(), rules.end(), [&](const v1::SignerRule& rule) {
      return rule.role() == signer.role && rule.meaning() == signer.meaning;
    });
    if (!fits) continue;
    std::vector<SubjectKey> more = taken;
    more.push_back(signer.key);
    best = std::max(best, 1 + BestCount(row, signers, place + 1, more));
  }
  return best;
}

RC_GTEST_PROP(SignatureSheetProperty, FillsAsManyPlacesAsDistinctPersonsCan, ()) {
  v1::CatalogueRow row;
  const int places = *rc::gen::inRange(1, 5);
  for (int i = 0; i < places; ++i) {
    v1::SignaturePlace& place = *row.add_signatures();
    place.set_waivable(*rc::gen::arbitrary<bool>());
    const int rules = *rc::gen::inRange(1, 3);
    for (int k = 0; k < rules; ++k) {
      v1::SignerRule& rule = *place.add_any_of();
      rule.set_role(kRoles[*rc::gen::inRange<std::size_t>(0, 3)]);
      rule.set_meaning(v1::MEANING_APPROVED);
    }
  }
  std::vector<EventSigner> signers;
  const int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    EventSigner signer;
    signer.key = {v1::SUBJECT_KIND_PERSON,
                  std::string(16, static_cast<char>('a' + *rc::gen::inRange(0, 4)))};
    signer.role = kRoles[*rc::gen::inRange<std::size_t>(0, 3)];
    signer.meaning = v1::MEANING_APPROVED;
    signer.authorised = *rc::gen::inRange(0, 5) != 0;
    signers.push_back(signer);
  }
  const std::vector<ParsedSignature> signatures(signers.size());
  const SheetMatch match = MatchSheet(row, signatures, signers);
  RC_ASSERT(match.filled_count == BestCount(row, signers, 0, {}));
  RC_ASSERT(match.filled_count + match.open_places.size() == static_cast<std::size_t>(places));
  // Places that nobody can waive come first.
  v1::CatalogueRow mandatory;
  std::size_t open_mandatory = 0;
  for (int i = 0; i < places; ++i) {
    if (row.signatures(i).waivable()) continue;
    *mandatory.add_signatures() = row.signatures(i);
    const auto& open = match.open_places;
    if (std::find(open.begin(), open.end(), static_cast<std::uint32_t>(i)) != open.end()) {
      ++open_mandatory;
    }
  }
  RC_ASSERT(static_cast<std::size_t>(mandatory.signatures_size()) - open_mandatory ==
            BestCount(mandatory, signers, 0, {}));
}

}  // namespace
}  // namespace custody

// Which signer fills which place of a signature sheet: each place another natural person.
//
// Threads: pure.
// Limits:  8 signatures, as in an event.

#ifndef CUSTODY_LIFECYCLE_SIGNATURE_SHEET_H_
#define CUSTODY_LIFECYCLE_SIGNATURE_SHEET_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "custody/v1/options.pb.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/rule_context.h"

namespace custody {

struct SheetMatch {
  std::size_t filled_count = 0;
  // Places that nobody fills, ascending.
  std::vector<std::uint32_t> open_places;
  // Positions of the signatures that fill no place, ascending.
  std::vector<std::size_t> without_place;
  // An open place could be filled only by a person who fills another one already.
  bool same_person = false;
};

// Fills as many places as possible, places that no policy can waive first. Only authorised signers
// count; a batch statement fills the first place only.
SheetMatch MatchSheet(const v1::CatalogueRow& row, std::span<const ParsedSignature> signatures,
                      std::span<const EventSigner> signers);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_SIGNATURE_SHEET_H_

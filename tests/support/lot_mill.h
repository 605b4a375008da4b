// Further lots after the model of one that a ledger has recorded: the same events, from the donor
// to the shipment, with ids, donation numbers, labels and lot numbers of their own.
//
// The bytes of the model are copied and the places of its ids overwritten, so that making an event
// costs little beside signing it. What the ledger said of the model (accepted, without findings)
// holds for each copy.
//
// Threads: immutable once made; Make() from any thread.

#ifndef CUSTODY_TESTS_SUPPORT_LOT_MILL_H_
#define CUSTODY_TESTS_SUPPORT_LOT_MILL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/signer.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/record.pb.h"

namespace custody {

// Digits of the model that each copy replaces by its own number; the story that the model is made
// of writes them.
inline constexpr std::string_view kModelDonationNumber = "A999926000101";
inline constexpr std::string_view kModelLotDigits = "20220700";

// Signers by key id.
using SignersByKey = std::map<std::string, Signer, std::less<>>;

// Sixteen-byte ids that stand in an event, header and body.
std::set<std::string> IdsIn(const v1::Event& event);

class LotMill {
 public:
  // `model`: the events of one lot in the order of the log. `shared`: ids that every copy keeps
  // (sites, people, devices, products). Each observation that one signer made about the culture is
  // there 1 + `further_observations` times, as a lab with instruments would post it.
  // Errors: kInvalidArgument if an event cannot be read or a signer has no key here.
  static absl::StatusOr<LotMill> Create(std::vector<v1::SignedEvent> model,
                                        const std::set<std::string>& shared, SignersByKey signers,
                                        std::size_t further_observations);

  // The events of lot `number` (1 to 2^32), signed now, to be recorded in this order.
  std::vector<v1::SignedEvent> Make(std::uint64_t number) const;

  // For batch statements: the events that a lot needs before the first such observation of a
  // person, and the bytes of `count` of these with the serial numbers from `serial` on (below
  // 2^24).
  std::vector<v1::SignedEvent> MakeUntilCulture(std::uint64_t number) const;
  std::vector<std::string> MakeObservations(std::uint64_t number, std::uint32_t serial,
                                            std::size_t count) const;
  // Who signs MakeObservations(), and what that says.
  const Signer& observer() const;
  const SignatureTerms& observer_terms() const;

  std::size_t events_per_lot() const { return model_.size(); }
  std::size_t signatures_per_lot() const;
  std::size_t subjects_per_lot() const { return subjects_; }
  // Of signed events.
  std::size_t bytes_per_lot() const { return bytes_; }

 private:
  enum class PatchKind { kId, kEventId, kDonation, kLot };
  struct Patch {
    std::size_t offset = 0;
    PatchKind kind = PatchKind::kId;
  };
  struct ModelSignature {
    const Signer* signer = nullptr;
    SignatureTerms terms;
  };
  struct ModelEvent {
    std::string bytes;
    std::vector<Patch> patches;
    std::vector<ModelSignature> signatures;
    // Tells copies of one observation apart.
    std::uint32_t copy = 0;
    bool observation = false;
  };

  absl::StatusOr<ModelSignature> PlaceOf(const v1::Signature& signature) const;
  absl::Status Add(const v1::SignedEvent& signed_event, const std::set<std::string>& shared,
                   std::size_t further_observations);
  static std::string Fill(const ModelEvent& event, std::uint64_t number, std::uint32_t copy);
  v1::SignedEvent Sign(const ModelEvent& event, std::uint64_t number) const;
  std::size_t FirstObservation() const;

  std::map<std::string, std::shared_ptr<const Signer>, std::less<>> signers_;
  std::vector<ModelEvent> model_;
  std::size_t subjects_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_LOT_MILL_H_

// Where cells come from: the ancestors of a batch or container, in one walk.
//
// Every subject is reported once, in the order in which the walk meets it: nearest first. A hold,
// case or rejection on any of them concerns the descendant.
//
// Threads: pure.
// Limits:  64 generations, 4,096 subjects; beyond them the walk stops and says so.

#ifndef CUSTODY_LIFECYCLE_GENEALOGY_H_
#define CUSTODY_LIFECYCLE_GENEALOGY_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lifecycle/state_view.h"
#include "lifecycle/subject.h"

namespace custody {

inline constexpr std::size_t kAncestorGenerationsMax = 64;
inline constexpr std::size_t kAncestorSubjectsMax = 4096;

struct Ancestry {
  // Batches, nearest first. The batch asked about, or the lot of the container, is the first.
  std::vector<std::string> batches;
  std::vector<std::string> donations;
  // Donors, and the birth mothers of newborn ones.
  std::vector<std::string> donors;
  // Materials consumed by any of the batches, and what the container was diluted with.
  std::vector<std::string> materials;
  // Containers that were used up to make one of the batches; not the container asked about.
  std::vector<std::string> source_containers;

  // Named by a parent reference, but the ledger has no entry about it.
  std::vector<SubjectKey> unknown;
  // A limit was reached: there are ancestors that are not in the lists. Nobody may then call the
  // descendant good.
  bool truncated = false;

  // All of the above as subjects: batches, donations, donors, materials, source containers.
  std::vector<SubjectKey> Subjects() const;
};

// Walks upwards from a batch, container or donation. A cycle, which a ledger cannot contain but a
// forged bundle can, ends where it meets itself.
//
// Errors: kInvalidArgument for another kind of subject; those of the view (a bundle that lacks an
// ancestor: the answer "cannot be checked").
absl::StatusOr<Ancestry> Ancestors(const StateView& view, const SubjectKey& start);

// The donations that a batch comes from, nearest first.
// Errors: as of Ancestors().
absl::StatusOr<std::vector<std::string>> AncestorDonations(const StateView& view,
                                                           std::string_view batch_id);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_GENEALOGY_H_

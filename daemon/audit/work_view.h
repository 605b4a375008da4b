// The store of the replay, read so that damage to it is never taken for damage to the log: what is
// wrong with the work folder accuses nobody.
//
// Threads: as ReadView.
// Owns:    the view beneath.

#ifndef CUSTODY_DAEMON_AUDIT_WORK_VIEW_H_
#define CUSTODY_DAEMON_AUDIT_WORK_VIEW_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"

namespace custody {

// kDataLoss as kUnavailable with the remedy; every other status as it is.
absl::Status OfWorkFolder(const absl::Status& status);

template <typename T>
absl::StatusOr<T> OfWorkFolder(absl::StatusOr<T> value) {
  if (!value.ok()) return OfWorkFolder(value.status());
  return value;
}

// A view of everything applied so far, whose reads fail with OfWorkFolder().
// Errors: those of the store, translated as well.
absl::StatusOr<std::shared_ptr<const ReadView>> OpenWorkView(const Store& work);

}  // namespace custody

#endif  // CUSTODY_DAEMON_AUDIT_WORK_VIEW_H_

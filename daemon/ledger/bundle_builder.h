// Bundles: what a verifier needs to judge a subject offline.
//
// Threads: as LedgerReader.

#ifndef CUSTODY_DAEMON_LEDGER_BUNDLE_BUILDER_H_
#define CUSTODY_DAEMON_LEDGER_BUNDLE_BUILDER_H_

#include "absl/status/statusor.h"
#include "custody/v1/bundle.pb.h"
#include "daemon/ledger/ledger_reader.h"

namespace custody {

inline constexpr std::size_t kBundleEntriesMax = 100'000;

// The bundle of `subject` at the reader's checkpoint: the verdict (when `request` names
// containers), the full chain of the subject, of its ancestors, of everything that the rules read
// for the verdict, of every signer and of the ledger; the seal; inclusion of each entry, nodes
// once; an index proof of each subject. A subject that was read and that the log does not know
// stands there without indices.
//
// Errors: kNotFound if the log does not know `subject`; kResourceExhausted beyond
// kBundleEntriesMax; those of the reader and of ComputeVerdict.
absl::StatusOr<v1::Bundle> BuildBundle(const LedgerReader& reader, const SubjectKey& subject,
                                       const v1::VerdictRequest& request);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_BUNDLE_BUILDER_H_

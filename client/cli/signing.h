// From a draft to a signed event: policy in force, bytes, and the signatures of local signers.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_SIGNING_H_
#define CUSTODY_CLIENT_CLI_SIGNING_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/session.h"
#include "client/draft/draft.h"
#include "custody/v1/record.pb.h"

namespace custody {

// Looks up the policy in force for the draft's product and regime and puts its hash into the
// header. A draft about no product stays as it is: the ledger says whether it needs one.
absl::Status FillPolicy(Session& session, Draft* draft);

// The final bytes of a draft; binds "event/<name>" in the name book.
absl::StatusOr<std::string> FinishDraft(Session& session, Draft* draft);

// Signs with local signers. A signer without role takes the next empty place of the signature sheet
// that one of its roles (<name>.json) can fill.
absl::StatusOr<std::vector<v1::Signature>> SignWith(Session& session, std::string_view event_bytes,
                                                    const std::vector<DraftSigner>& signers);

// What these signers would state, without opening their keys.
// Errors (both): kInvalidArgument if no place fits; kNotFound for an unknown signer.
absl::StatusOr<std::vector<v1::SignatureStatement>> AssumedStatements(
    Session& session, std::string_view event_bytes, const std::vector<DraftSigner>& signers);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_SIGNING_H_

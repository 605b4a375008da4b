// Answers of ProvenanceService that put several questions to the reader and the rules together.
//
// Threads: as LedgerReader.

#ifndef CUSTODY_DAEMON_SERVICES_DOSE_QUESTIONS_H_
#define CUSTODY_DAEMON_SERVICES_DOSE_QUESTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/provenance_service.pb.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/services/authorization.h"

namespace custody {

// Containers of one question, named by id or scan: a patient's dose has few.
inline constexpr std::size_t kQuestionContainersMax = 64;

// OK if the question names at most kQuestionContainersMax containers.
// Errors: kInvalidArgument E_FIELD.
absl::Status CheckQuestionSize(std::size_t containers);

// The question with scans replaced by ids, the moment filled in, and the site of a principal that
// has exactly one. Errors: those of CheckQuestionSize() and FindScannedContainer(); kNotFound if no
// order has the chain of identity; kPermissionDenied E_PERMISSION for another site, or none while
// the principal has several.
absl::StatusOr<v1::VerdictRequest> ResolveDoseQuestion(const LedgerReader& reader,
                                                       const Principal& principal,
                                                       const v1::VerifyDoseRequest& request,
                                                       std::int64_t now_ms);

// The verdict, the heads that it rests on, and the entries that it names if they are asked for.
absl::Status AnswerVerifyDose(const LedgerReader& reader, const Principal& principal,
                              const v1::VerifyDoseRequest& request, std::int64_t now_ms,
                              v1::VerifyDoseResponse* response);

// Dry run. Errors: those of parsing (kInvalidArgument) and of the reader; a refusal of the rules is
// an answer, not an error.
absl::Status AnswerEvaluate(const LedgerReader& reader, std::string_view ledger,
                            const v1::EvaluateRequest& request, std::int64_t now_ms,
                            v1::EvaluateResponse* response);

absl::Status AnswerFindSubject(const LedgerReader& reader, const v1::FindSubjectRequest& request,
                               v1::FindSubjectResponse* response);

// Errors: kNotFound.
absl::Status AnswerGetSubject(const LedgerReader& reader, const SubjectKey& subject,
                              std::int64_t now_ms, v1::GetSubjectResponse* response);

// Errors: kNotFound if the container is unknown, comes from no batch, or no certificate was issued.
absl::Status AnswerCertificate(const LedgerReader& reader, std::string_view container_id,
                               v1::GetCertificateOfAnalysisResponse* response);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_DOSE_QUESTIONS_H_

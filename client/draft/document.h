// What the ledger keeps of a document: its hash and what it is; the document stays with its owner.
//
// Threads: pure.

#ifndef CUSTODY_CLIENT_DRAFT_DOCUMENT_H_
#define CUSTODY_CLIENT_DRAFT_DOCUMENT_H_

#include <string_view>

#include "custody/v1/types.pb.h"

namespace custody {

// The media type follows the ending of the path, the document's number is its last part.
v1::Document DescribeDocument(std::string_view path, std::string_view content);

}  // namespace custody

#endif  // CUSTODY_CLIENT_DRAFT_DOCUMENT_H_

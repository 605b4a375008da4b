// docs/event-catalogue.md: the catalogue for people, from the options and the comments of the
// .proto files.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_TOOLS_CATALOGUE_PAGE_H_
#define CUSTODY_LIFECYCLE_TOOLS_CATALOGUE_PAGE_H_

#include <string>

#include "google/protobuf/descriptor.pb.h"

namespace custody {

// The whole page.
//
//   sources   the files with source info (protoc --include_source_info): their comments
std::string CataloguePage(const google::protobuf::FileDescriptorSet& sources);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_TOOLS_CATALOGUE_PAGE_H_

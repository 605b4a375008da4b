// The event catalogue, read from the options of the .proto files.
//
// Threads: immutable after first use; safe from any thread.

#ifndef CUSTODY_LIFECYCLE_CATALOGUE_H_
#define CUSTODY_LIFECYCLE_CATALOGUE_H_

#include <span>
#include <string>
#include <string_view>

#include "custody/v1/event.pb.h"
#include "custody/v1/options.pb.h"

namespace custody {

// One event type.
struct CatalogueEntry {
  v1::Event::BodyCase body_case;
  // Message name, for example "DonorRegistered".
  std::string name;
  const google::protobuf::FieldDescriptor* body_field;
  v1::CatalogueRow row;

  bool is_decision() const { return row.admission() == v1::ADMISSION_CLASS_DECISION; }
  bool is_observation() const { return row.admission() == v1::ADMISSION_CLASS_OBSERVATION; }
  bool is_governance() const { return row.admission() == v1::ADMISSION_CLASS_GOVERNANCE; }
};

// All entries in the order of the oneof.
std::span<const CatalogueEntry> Catalogue();

// nullptr if the event has no body.
const CatalogueEntry* FindCatalogueEntry(const v1::Event& event);
const CatalogueEntry* FindCatalogueEntry(v1::Event::BodyCase body_case);
// By code ("DNR-07") or message name ("TestResultReported"); nullptr if there is none.
const CatalogueEntry* FindCatalogueEntry(std::string_view code_or_name);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CATALOGUE_H_

// The name of an enum's value as people read it: without the prefix that proto style asks for.
//
//   EnumLabel(v1::CONTAINER_LIFE_STORED) == "STORED"
//   EnumLabel(v1::REGIME_EU) == "EU"
//
// A value that this version does not know gives its number.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_ENUM_LABEL_H_
#define CUSTODY_LIFECYCLE_ENUM_LABEL_H_

#include <string>

#include "google/protobuf/generated_enum_reflection.h"

namespace custody {

// The label of the value with that number.
std::string EnumLabelOf(const google::protobuf::EnumDescriptor& descriptor, int number);

template <typename Enum>
std::string EnumLabel(Enum value) {
  return EnumLabelOf(*google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_ENUM_LABEL_H_

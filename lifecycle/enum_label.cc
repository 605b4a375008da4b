#include "lifecycle/enum_label.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"

namespace custody {
namespace {

// "ContainerLife" -> "CONTAINER_LIFE_".
std::string PrefixOf(const std::string& type) {
  std::string prefix;
  for (const char c : type) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return prefix + "_";
}

}  // namespace

std::string EnumLabelOf(const google::protobuf::EnumDescriptor& descriptor, int number) {
  const google::protobuf::EnumValueDescriptor* value = descriptor.FindValueByNumber(number);
  if (value == nullptr) return std::to_string(number);
  return std::string(absl::StripPrefix(value->name(), PrefixOf(descriptor.name())));
}

}  // namespace custody

#include "lifecycle/catalogue.h"

#include <vector>

#include "base/check.h"

namespace custody {
namespace {

std::vector<CatalogueEntry> ReadCatalogue() {
  const google::protobuf::OneofDescriptor* body = v1::Event::descriptor()->FindOneofByName("body");
  CUSTODY_CHECK(body != nullptr);
  std::vector<CatalogueEntry> entries;
  for (int i = 0; i < body->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = body->field(i);
    CatalogueEntry entry;
    entry.body_case = static_cast<v1::Event::BodyCase>(field->number());
    entry.name = field->message_type()->name();
    entry.body_field = field;
    entry.row = field->message_type()->options().GetExtension(v1::catalogue);
    CUSTODY_CHECK(!entry.row.code().empty());
    entries.push_back(std::move(entry));
  }
  return entries;
}

const std::vector<CatalogueEntry>& Entries() {
  static const auto& entries = *new std::vector<CatalogueEntry>(ReadCatalogue());
  return entries;
}

}  // namespace

std::span<const CatalogueEntry> Catalogue() { return Entries(); }

const CatalogueEntry* FindCatalogueEntry(const v1::Event& event) {
  return FindCatalogueEntry(event.body_case());
}

const CatalogueEntry* FindCatalogueEntry(v1::Event::BodyCase body_case) {
  // Field numbers are below 512; a table by number, built once.
  static const auto& table = *new std::vector<const CatalogueEntry*>([] {
    std::vector<const CatalogueEntry*> by_number;
    for (const CatalogueEntry& entry : Entries()) {
      const auto number = static_cast<std::size_t>(entry.body_case);
      if (by_number.size() <= number) by_number.resize(number + 1);
      by_number[number] = &entry;
    }
    return by_number;
  }());
  const auto number = static_cast<std::size_t>(body_case);
  return number < table.size() ? table[number] : nullptr;
}

const CatalogueEntry* FindCatalogueEntry(std::string_view code_or_name) {
  for (const CatalogueEntry& entry : Entries()) {
    if (entry.row.code() == code_or_name || entry.name == code_or_name) return &entry;
  }
  return nullptr;
}

}  // namespace custody

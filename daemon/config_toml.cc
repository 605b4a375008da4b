// The only source of the daemon that sees toml++, without its exceptions.

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// A key that begins with no letter is a mistake in the file and not in the program: without its
// assertion toml++ reports it like any other.
#define TOML_ASSERT(expression) static_assert(true)
#ifndef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#endif
#include <toml++/toml.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/config.h"

namespace custody {
namespace {

absl::Status At(std::string_view file, const toml::source_region& region,
                std::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrFormat("%s:%u:%u: %s", file, region.begin.line, region.begin.column, message));
}

// Texts without white space, one space between.
std::optional<std::string> ListText(const toml::node& node) {
  if (!node.is_array()) return std::nullopt;
  std::string list;
  for (const toml::node& each : *node.as_array()) {
    if (!each.is_string()) return std::nullopt;
    const std::string& text = each.as_string()->get();
    if (text.empty() || text.find_first_of(" \t\r\n\f\v") != std::string::npos) return std::nullopt;
    absl::StrAppend(&list, list.empty() ? "" : " ", text);
  }
  return list;
}

// The value as SetFromText() wants it; nullopt if the type is another.
std::optional<std::string> TextOf(const toml::node& node, const ConfigKey& key) {
  if (std::holds_alternative<std::string*>(key.place)) {
    return node.is_string() ? std::optional<std::string>(node.as_string()->get()) : std::nullopt;
  }
  if (std::holds_alternative<bool*>(key.place)) {
    if (!node.is_boolean()) return std::nullopt;
    return node.as_boolean()->get() ? "true" : "false";
  }
  if (std::holds_alternative<std::vector<std::string>*>(key.place)) return ListText(node);
  if (!node.is_integer()) return std::nullopt;
  return std::to_string(node.as_integer()->get());
}

absl::Status UnknownKey(std::string_view file, const toml::source_region& where,
                        std::string_view what, const std::string& name,
                        const std::vector<std::string>& names) {
  const std::string nearest = NearestName(name, names);
  return At(file, where,
            nearest.empty()
                ? absl::StrFormat("unknown %s \"%s\"", what, name)
                : absl::StrFormat("unknown %s \"%s\"; did you mean \"%s\"?", what, name, nearest));
}

absl::Status SetKey(std::string_view file, const std::string& name, const toml::node& node,
                    const ConfigKey& key, const std::vector<ConfigKey>& keys) {
  const std::optional<std::string> text = TextOf(node, key);
  if (!text.has_value()) {
    const bool wants_text = std::holds_alternative<std::string*>(key.place);
    const bool wants_flag = std::holds_alternative<bool*>(key.place);
    const bool wants_list = std::holds_alternative<std::vector<std::string>*>(key.place);
    return At(file, node.source(),
              absl::StrFormat("%s wants %s", name,
                              wants_text   ? "a text in quotes"
                              : wants_flag ? "true or false"
                              : wants_list ? "a list of texts in quotes, none with a space"
                                           : "a whole number"));
  }
  const absl::Status set = SetFromText(key.name, *text, name, keys);
  if (set.ok()) return set;
  return At(file, node.source(), StdView(set.message()));
}

absl::Status SetSection(std::string_view file, const std::string& section, const toml::table& table,
                        const std::vector<ConfigKey>& keys) {
  std::vector<std::string> names;
  for (const ConfigKey& key : keys) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) == section) names.emplace_back(key.name.substr(dot + 1));
  }
  for (const auto& [toml_key, node] : table) {
    const std::string short_name(toml_key.str());
    const std::string name = absl::StrCat(section, ".", short_name);
    const ConfigKey* found = nullptr;
    for (const ConfigKey& key : keys) {
      if (key.name == name) found = &key;
    }
    if (found == nullptr) {
      return UnknownKey(file, toml_key.source(), "key", short_name, names);
    }
    CUSTODY_RETURN_IF_ERROR(SetKey(file, name, node, *found, keys));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SetFromToml(std::string_view text, std::string_view file, Config* config) {
  return SetFromToml(text, file, KeysOf(config));
}

absl::Status SetFromToml(std::string_view text, std::string_view file,
                         const std::vector<ConfigKey>& keys) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return At(file, parsed.error().source(), std::string(parsed.error().description()));
  }
  std::vector<std::string> sections;
  for (const ConfigKey& key : keys) {
    std::string section(key.name.substr(0, key.name.find('.')));
    if (sections.empty() || sections.back() != section) sections.push_back(std::move(section));
  }
  for (const auto& [toml_key, node] : parsed.table()) {
    const std::string section(toml_key.str());
    bool known = false;
    for (const std::string& each : sections) known = known || each == section;
    if (!known) return UnknownKey(file, toml_key.source(), "section", section, sections);
    if (!node.is_table()) {
      return At(file, node.source(),
                absl::StrFormat("\"%s\" is a section: write [%s]", section, section));
    }
    CUSTODY_RETURN_IF_ERROR(SetSection(file, section, *node.as_table(), keys));
  }
  return absl::OkStatus();
}

}  // namespace custody

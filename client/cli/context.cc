#include "client/cli/context.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/files.h"
#include "client/draft/names.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

struct FieldName {
  const char* name;
  std::string Context::*field;
  bool is_path;
};

constexpr FieldName kFields[] = {
    {"endpoint", &Context::endpoint, false},
    {"ca_certificate", &Context::ca_certificate, true},
    {"certificate", &Context::certificate, true},
    {"private_key", &Context::private_key, true},
    {"trust", &Context::trust, true},
    {"keys", &Context::keys, true},
    {"names", &Context::names, true},
    {"checkpoint", &Context::checkpoint, true},
    {"server_name", &Context::server_name, false},
};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<Context> ReadContext(const std::string& name, const toml::table& table,
                                    const std::string& folder, const std::string& file) {
  Context context;
  context.name = name;
  for (const auto& [key, node] : table) {
    const std::string value = node.is_boolean() ? (node.value_or(false) ? "true" : "false")
                                                : node.value_or(std::string());
    const absl::Status status = SetContextField(std::string(key.str()), value, &context);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s:%d: %s", file, node.source().begin.line, StdView(status.message())));
    }
  }
  MakePathsAbsolute(folder, &context);
  return context;
}

void FillDefaults(const std::string& folder, Context* context) {
  const std::string prefix = folder + "/" + (context->name.empty() ? "" : context->name + ".");
  if (context->keys.empty()) context->keys = folder + "/keys";
  if (context->names.empty()) context->names = prefix + "names.json";
  if (context->checkpoint.empty() && !context->name.empty()) {
    context->checkpoint = prefix + "checkpoint";
  }
}

}  // namespace

std::string ConfigFolder() {
  if (const std::string folder = Environment("CUSTODY_CONFIG_DIR"); !folder.empty()) return folder;
  if (const std::string folder = Environment("XDG_CONFIG_HOME"); !folder.empty()) {
    return folder + "/custody";
  }
  return Environment("HOME") + "/.config/custody";
}

absl::Status SetContextField(std::string_view key, std::string_view value, Context* context) {
  if (key == "insecure_loopback") {
    if (value != "true" && value != "false") {
      return absl::InvalidArgumentError(
          absl::StrFormat("insecure_loopback is true or false, not '%s'", value));
    }
    context->insecure_loopback = value == "true";
    return absl::OkStatus();
  }
  std::vector<std::string> names{"insecure_loopback"};
  for (const FieldName& field : kFields) {
    if (key == field.name) {
      context->*field.field = std::string(value);
      return absl::OkStatus();
    }
    names.emplace_back(field.name);
  }
  const std::string nearest = NearestWord(key, names);
  return absl::InvalidArgumentError(absl::StrFormat("a context has no key '%s'%s", key,
                                                    nearest.empty()
                                                        ? "; it has " + absl::StrJoin(names, ", ")
                                                        : "; did you mean '" + nearest + "'?"));
}

void MakePathsAbsolute(const std::string& folder, Context* context) {
  for (const FieldName& field : kFields) {
    std::string& path = context->*field.field;
    if (!field.is_path || path.empty()) continue;
    path = fs::absolute(fs::path(folder) / path).lexically_normal().string();
  }
}

absl::StatusOr<ContextFile> LoadContexts(const std::string& folder) {
  const std::string file = folder + "/contexts.toml";
  ContextFile contexts;
  const absl::StatusOr<std::string> text = ReadFile(file);
  if (absl::IsNotFound(text.status())) return contexts;
  CUSTODY_RETURN_IF_ERROR(text.status());
  toml::table table;
  try {
    table = toml::parse(std::string_view(*text), file);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrFormat("%s:%d: %s", file, error.source().begin.line,
                                                      std::string(error.description())));
  }
  contexts.current = table["current"].value_or(std::string());
  if (const toml::table* list = table["context"].as_table(); list != nullptr) {
    for (const auto& [name, node] : *list) {
      if (!node.is_table()) continue;
      const std::string key(name.str());
      CUSTODY_ASSIGN_OR_RETURN(contexts.contexts[key],
                               ReadContext(key, *node.as_table(), folder, file));
    }
  }
  return contexts;
}

absl::Status SaveContexts(const std::string& folder, const ContextFile& file) {
  std::string text = "# Contexts of the command custody; see custody context --help.\n";
  const auto quote = [](const std::string& value) {
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return quoted + "\"";
  };
  text += absl::StrFormat("current = %s\n", quote(file.current));
  for (const auto& [name, context] : file.contexts) {
    text += absl::StrFormat("\n[context.%s]\n", quote(name));
    for (const FieldName& field : kFields) {
      if (!(context.*field.field).empty()) {
        text += absl::StrFormat("%s = %s\n", field.name, quote(context.*field.field));
      }
    }
    if (context.insecure_loopback) text += "insecure_loopback = true\n";
  }
  return WriteFileAtomically(folder + "/contexts.toml", text, /*secret=*/false);
}

absl::StatusOr<Context> ResolveContext(const std::string& folder, std::string_view wanted) {
  CUSTODY_ASSIGN_OR_RETURN(ContextFile file, LoadContexts(folder));
  std::string name(wanted);
  if (name.empty()) name = Environment("CUSTODY_CONTEXT");
  if (name.empty()) name = file.current;
  Context context;
  if (!name.empty()) {
    const auto found = file.contexts.find(name);
    if (found == file.contexts.end()) {
      std::vector<std::string> names;
      for (const auto& entry : file.contexts) names.push_back(entry.first);
      return absl::NotFoundError(absl::StrFormat(
          "no context '%s' in %s/contexts.toml (there is: %s); add it with: custody context add",
          name, folder, names.empty() ? "none" : absl::StrJoin(names, ", ")));
    }
    context = found->second;
  }
  for (const auto& [variable, field] :
       {std::pair{"CUSTODY_ENDPOINT", &Context::endpoint},
        std::pair{"CUSTODY_KEYS", &Context::keys}, std::pair{"CUSTODY_NAMES", &Context::names},
        std::pair{"CUSTODY_TRUST", &Context::trust}}) {
    if (const std::string value = Environment(variable); !value.empty()) context.*field = value;
  }
  FillDefaults(folder, &context);
  return context;
}

}  // namespace custody

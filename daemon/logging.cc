#include "daemon/logging.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace custody {
namespace {

struct LogState {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("custodyd", std::move(sink));
  logger->set_pattern("%v", spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

LogState& State() {
  static LogState& state =
      *new LogState{MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>()), false};
  return state;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kDebug:
      break;
  }
  return spdlog::level::debug;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "error";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kDebug:
      break;
  }
  return "debug";
}

// As a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD.
std::string Quoted(std::string_view text) {
  return nlohmann::json(std::string(text))
      .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

absl::Status SetUpLogging(const LogSection& options) {
  LogState& state = State();
  state.json = options.format == "json";
  if (!options.file.empty()) {
    // The one call of spdlog that throws.
    try {
      state.logger = MakeLogger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
    } catch (const spdlog::spdlog_ex& error) {
      return absl::UnavailableError(absl::StrFormat("log.file %s: %s", options.file, error.what()));
    }
  }
  const LogLevel level = options.level == "error"     ? LogLevel::kError
                         : options.level == "warning" ? LogLevel::kWarning
                         : options.level == "debug"   ? LogLevel::kDebug
                                                      : LogLevel::kInfo;
  state.logger->set_level(SpdlogLevel(level));
  return absl::OkStatus();
}

bool LogEnabled(LogLevel level) { return State().logger->should_log(SpdlogLevel(level)); }

void Log(LogLevel level, std::string_view message, const LogFields& fields) {
  if (!LogEnabled(level)) return;
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  // As an argument: the text is no format.
  State().logger->log(SpdlogLevel(level), "{}",
                      FormatRecord(State().json, time, level, message, fields));
}

std::string FormatRecord(bool json, std::string_view time, LogLevel level, std::string_view message,
                         const LogFields& fields) {
  std::string record;
  if (json) {
    record = absl::StrFormat("{\"time\":%s,\"level\":%s,\"message\":%s", Quoted(time),
                             Quoted(LevelName(level)), Quoted(message));
    for (const auto& [name, value] : fields) {
      record += absl::StrFormat(",%s:%s", Quoted(name), Quoted(value));
    }
    return record + "}";
  }
  // Quotes where something would not read as one word.
  const std::string quoted = Quoted(message);
  record =
      absl::StrFormat("%s %-7s %s", time, LevelName(level), quoted.substr(1, quoted.size() - 2));
  for (const auto& [name, value] : fields) record += absl::StrFormat(" %s=%s", name, Quoted(value));
  return record;
}

}  // namespace custody

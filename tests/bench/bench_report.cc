#include "tests/bench/bench_report.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_format.h"

namespace custody {
namespace {

double RateOf(const LoadResult& load) {
  return load.seconds > 0 ? static_cast<double>(load.events) / load.seconds : 0;
}

// Milliseconds below which this part of the calls stayed.
double QuantileMs(std::vector<std::uint32_t> latency_us, double part) {
  if (latency_us.empty()) return 0;
  const auto rank =
      static_cast<std::size_t>(std::ceil(part * static_cast<double>(latency_us.size())) - 1);
  const auto at = latency_us.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(latency_us.begin(), at, latency_us.end());
  return static_cast<double>(*at) / 1e3;
}

std::string Processor() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

double Rounded(double value) { return std::round(value * 1000) / 1000; }

nlohmann::ordered_json ToJson(const GrowthPoint& point) {
  return {{"log_events", point.log_events},
          {"subjects", point.subject_count},
          {"start_ms", Rounded(point.start_ms)},
          {"verdict_p50_ms", Rounded(QuantileMs(point.verdicts.latency_us, 0.5))},
          {"verdict_p99_ms", Rounded(QuantileMs(point.verdicts.latency_us, 0.99))},
          {"events_per_second", std::round(RateOf(point.writes))},
          {"p99_ms", Rounded(QuantileMs(point.writes.latency_us, 0.99))}};
}

nlohmann::ordered_json ToJson(const BenchOptions& options, const BenchReport& report) {
  const LoadResult& load = report.load;
  utsname system{};
  ::uname(&system);
  nlohmann::ordered_json json = {
      {"mode", options.mode},
      {"in_flight", options.in_flight},
      {"clients", options.clients},
      {"batch", options.mode == "batch" || options.mode == "store" ? options.batch : 1},
      {"key", options.key},
      {"seconds", Rounded(load.seconds)},
      {"events", load.events},
      {"failures", load.failures},
      {"events_per_second", std::round(RateOf(load))},
      {"p50_ms", Rounded(QuantileMs(load.latency_us, 0.5))},
      {"p99_ms", Rounded(QuantileMs(load.latency_us, 0.99))},
      {"p999_ms", Rounded(QuantileMs(load.latency_us, 0.999))},
      {"server_cpu_us_per_event", Rounded(report.server_cpu_us_per_event)},
      {"verify_us", Rounded(report.verify_us)},
      {"verify_often_us", Rounded(report.verify_often_us)},
      {"cpu_ratio",
       report.verify_us > 0 ? Rounded(report.server_cpu_us_per_event / report.verify_us) : 0},
      {"signatures_per_event", Rounded(report.signatures_per_event)},
      {"signed_event_bytes", std::round(report.signed_event_bytes)},
      {"disk_bytes_per_event", std::round(report.disk_bytes_per_event)},
      {"write_amplification", Rounded(report.write_amplification)},
      {"idle_rss_mib", Rounded(report.idle_rss_mib)},
      {"peak_rss_mib", Rounded(report.peak_rss_mib)},
      {"log_events", report.log_events},
      {"subjects", report.subject_count},
      {"events_per_lot", report.events_per_lot},
      {"subjects_per_lot", report.subjects_per_lot},
      {"start_ms", Rounded(report.start_ms)},
      {"version", report.version},
      {"machine",
       absl::StrFormat("%s, %d cores, %s %s", Processor(), std::thread::hardware_concurrency(),
                       system.sysname, system.release)},
  };
  for (const auto& [name, us] : report.cpu_us_per_event_by_thread) {
    json["server_cpu_us_by_thread"][name] = Rounded(us);
  }
  for (const auto& [name, use] : report.memory_per_event_by_thread) {
    json["server_memory_per_event_by_thread"][name] = {
        {"allocations", Rounded(use.allocations)},
        {"allocated_bytes", std::round(use.allocated_bytes)},
        {"copies", Rounded(use.copies)},
        {"copied_bytes", std::round(use.copied_bytes)}};
  }
  for (const GrowthPoint& point : report.growth) json["growth"].push_back(ToJson(point));
  if (!options.settings.empty()) json["settings"] = options.settings;
  if (load.failures > 0) json["first_failure"] = load.first_failure;
  return json;
}

}  // namespace

void PrintTable(const BenchOptions& options, const BenchReport& report) {
  const nlohmann::ordered_json json = ToJson(options, report);
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      absl::PrintF("%s\n", key);
      for (const auto& [name, part] : value.items())
        absl::PrintF("  %-26s %s\n", name, part.dump());
      continue;
    }
    absl::PrintF("%-28s %s\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
}

void PrintJson(const BenchOptions& options, const BenchReport& report) {
  absl::PrintF("%s\n", ToJson(options, report).dump());
}

}  // namespace custody

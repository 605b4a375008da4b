#include "daemon/gateway/gateway_metrics.h"

#include <chrono>
#include <utility>
#include <vector>

#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace custody {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily& AddFamily(Families* families, std::string_view name, std::string_view help,
                        MetricType type) {
  MetricFamily family;
  family.name = std::string(name);
  family.help = std::string(help);
  family.type = type;
  families->push_back(std::move(family));
  return families->back();
}

void AddValue(MetricFamily* family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (family->type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family->metric.push_back(std::move(metric));
}

void AddLog(const BelievedLog& log, Families* families) {
  const BelievedLog::State state = log.state();
  const auto believed = log.current();
  const std::chrono::duration<double> age = std::chrono::steady_clock::now() - state.good_at;
  AddValue(&AddFamily(families, "custody_gateway_log_size",
                      "Entries under the believed checkpoint.", MetricType::Gauge),
           {}, believed == nullptr ? 0 : static_cast<double>(believed->checkpoint.size));
  AddValue(&AddFamily(families, "custody_gateway_good_age_seconds",
                      "Since the daemon last showed a log that is believed.", MetricType::Gauge),
           {}, age.count());
  MetricFamily& health = AddFamily(families, "custody_gateway_health",
                                   "1 for how the last refresh went.", MetricType::Gauge);
  for (const LogHealth each :
       {LogHealth::kStarting, LogHealth::kGood, LogHealth::kAway, LogHealth::kConflict}) {
    AddValue(&health, {{"health", std::string(HealthName(each))}}, state.health == each ? 1 : 0);
  }
  AddValue(
      &AddFamily(families, "custody_gateway_conflicts_total",
                 "Times that the daemon showed another log. Must stay 0.", MetricType::Counter),
      {}, static_cast<double>(state.conflicts));
  AddValue(&AddFamily(families, "custody_gateway_refresh_failures_total",
                      "Refreshes of the checkpoint that failed.", MetricType::Counter),
           {}, static_cast<double>(state.refresh_failures));
}

void AddCache(const TileCache& cache, Families* families) {
  const TileCache::Numbers numbers = cache.numbers();
  AddValue(&AddFamily(families, "custody_gateway_cache_bytes", "Bytes of tiles in memory.",
                      MetricType::Gauge),
           {}, static_cast<double>(numbers.bytes));
  MetricFamily& asked =
      AddFamily(families, "custody_gateway_cache_lookups_total",
                "Full tiles that were looked for in memory.", MetricType::Counter);
  AddValue(&asked, {{"found", "yes"}}, static_cast<double>(numbers.hits));
  AddValue(&asked, {{"found", "no"}}, static_cast<double>(numbers.misses));
}

void AddHttp(const HttpCounters& http, Families* families) {
  AddValue(
      &AddFamily(families, "custody_gateway_connections", "Connections now.", MetricType::Gauge),
      {}, static_cast<double>(http.connections_open));
  AddValue(&AddFamily(families, "custody_gateway_connections_total",
                      "Connections that were let in.", MetricType::Counter),
           {}, static_cast<double>(http.connections_total));
  MetricFamily& dropped =
      AddFamily(families, "custody_gateway_dropped_total",
                "Connections and requests turned away, by what was too much.", MetricType::Counter);
  for (const auto& [why, count] :
       {std::pair<const char*, std::uint64_t>{"connections", http.refused_full},
        {"connections-of-address", http.refused_address},
        {"slow-headers", http.dropped_slow_headers},
        {"idle", http.dropped_idle},
        {"slow-reader", http.dropped_slow_readers},
        {"request", http.refused_requests},
        {"waiting", http.overloaded_requests}}) {
    AddValue(&dropped, {{"why", why}}, static_cast<double>(count));
  }
}

}  // namespace

std::string GatewayMetricsText(const Gateway& gateway, const BelievedLog& log,
                               const TileCache& cache, const HttpCounters& http,
                               std::string_view version, std::string_view commit) {
  Families families;
  AddValue(&AddFamily(&families, "custody_gateway_build_info", "What runs.", MetricType::Gauge),
           {{"version", std::string(version)}, {"commit", std::string(commit)}}, 1);
  AddLog(log, &families);
  AddCache(cache, &families);
  AddHttp(http, &families);
  MetricFamily& answers = AddFamily(&families, "custody_gateway_answers_total",
                                    "Answers by route and HTTP status.", MetricType::Counter);
  for (const auto& [answer, count] : gateway.counts()) {
    AddValue(&answers, {{"route", answer.first}, {"status", std::to_string(answer.second)}},
             static_cast<double>(count));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace custody

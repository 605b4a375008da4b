#include "daemon/metrics_text.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "lifecycle/refusal.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace custody {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Label = ClientMetric::Label;

MetricFamily& AddFamily(Families* families, std::string_view name, std::string_view help,
                        MetricType type) {
  MetricFamily family;
  family.name = std::string(name);
  family.help = std::string(help);
  family.type = type;
  families->push_back(std::move(family));
  return families->back();
}

void AddValue(MetricFamily* family, std::vector<Label> labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (family->type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family->metric.push_back(std::move(metric));
}

void AddCounter(Families* families, std::string_view name, std::string_view help,
                std::uint64_t value) {
  AddValue(&AddFamily(families, name, help, MetricType::Counter), {}, static_cast<double>(value));
}

void AddGauge(Families* families, std::string_view name, std::string_view help, double value) {
  AddValue(&AddFamily(families, name, help, MetricType::Gauge), {}, value);
}

// `unit` is what one of the histogram's counts is in the unit of the metric's name.
void AddHistogram(Families* families, std::string_view name, std::string_view help,
                  const Histogram& histogram, double unit) {
  MetricFamily& family = AddFamily(families, name, help, MetricType::Histogram);
  ClientMetric metric;
  metric.histogram.sample_count = histogram.count();
  metric.histogram.sample_sum = static_cast<double>(histogram.sum()) * unit;
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    const bool last = bucket + 1 == Histogram::kBuckets;
    ClientMetric::Bucket added;
    added.cumulative_count = histogram.CumulativeCount(bucket);
    added.upper_bound = last ? std::numeric_limits<double>::infinity()
                             : static_cast<double>(Histogram::UpperBound(bucket)) * unit;
    metric.histogram.bucket.push_back(added);
  }
  family.metric.push_back(std::move(metric));
}

void AddState(const LedgerStatus& status, Families* families) {
  AddGauge(families, "custody_log_size", "Entries in the log, seals included.",
           static_cast<double>(status.tree_size));
  AddGauge(families, "custody_subjects", "Subjects that the log knows.",
           static_cast<double>(status.subject_count));
  AddGauge(families, "custody_queue_events", "Events admitted and not yet planned.",
           static_cast<double>(status.queue_events));
  AddGauge(families, "custody_pending_decisions", "Decisions that wait for signatures.",
           static_cast<double>(status.pending_count));
  AddGauge(families, "custody_writes_serve", "1 while events can be recorded.",
           status.mode == LedgerMode::kServing && !status.disk_full ? 1 : 0);
  AddGauge(families, "custody_damaged_places",
           "Places of the store that are known to be damaged; what rests on them is held back.",
           static_cast<double>(status.damage_count));
  AddGauge(families, "custody_clock_healthy", "1 while the wall clock is believed.",
           status.clock_healthy ? 1 : 0);
  AddGauge(families, "custody_disk_full", "1 while less than the reserve is free.",
           status.disk_full ? 1 : 0);
  AddGauge(families, "custody_last_commit_timestamp_seconds", "When the newest batch was written.",
           static_cast<double>(status.last_commit_at_ms) / 1e3);
}

void AddCounters(const LedgerMetrics& metrics, Families* families) {
  AddCounter(families, "custody_events_admitted_total", "Events that entered the queue.",
             metrics.events_admitted);
  AddCounter(families, "custody_events_overloaded_total", "Events turned away, queue full.",
             metrics.events_overloaded);
  AddCounter(families, "custody_events_recorded_total", "Events that are durable.",
             metrics.events_recorded);
  AddCounter(families, "custody_consequences_recorded_total", "Events of the ledger itself.",
             metrics.consequences_recorded);
  AddCounter(families, "custody_consequences_refused_total", "Must stay 0: the rules disagree.",
             metrics.consequences_refused);
  AddCounter(families, "custody_events_duplicate_total", "Answered with their first receipt.",
             metrics.events_duplicate);
  AddCounter(families, "custody_events_refused_total", "Refused after admission.",
             metrics.events_refused);
  AddCounter(families, "custody_findings_recorded_total", "Findings on recorded events.",
             metrics.findings_recorded);
  AddCounter(families, "custody_proposals_recorded_total", "Decisions left for signatures.",
             metrics.proposals_recorded);
  AddCounter(families, "custody_proposals_lapsed_total", "Decisions nobody signed in time.",
             metrics.proposals_lapsed);
  AddCounter(families, "custody_signatures_verified_total", "Signatures found true.",
             metrics.signatures_verified);
  AddCounter(families, "custody_signatures_bad_total", "Signatures found false.",
             metrics.signatures_bad);
  AddCounter(families, "custody_keys_rechecked_total", "Keys looked up again by the sequencer.",
             metrics.keys_rechecked);
  AddCounter(families, "custody_batches_committed_total", "Synced writes.",
             metrics.batches_committed);
  AddCounter(families, "custody_seals_committed_total", "Seals.", metrics.seals_committed);
  AddCounter(families, "custody_commit_failures_total", "The first is final: restart.",
             metrics.commit_failures);
  AddCounter(families, "custody_anchor_failures_total", "Anchor files that were not written.",
             metrics.anchor_failures);
  AddCounter(families, "custody_clock_unhealthy_total", "Readings of a clock not believed.",
             metrics.clock_unhealthy);
  AddCounter(families, "custody_state_cache_hits_total", "States found in memory.",
             metrics.state_cache_hits);
  AddCounter(families, "custody_state_cache_misses_total", "States read from the store.",
             metrics.state_cache_misses);
}

void AddRefusals(const LedgerMetrics& metrics, Families* families) {
  MetricFamily& family = AddFamily(families, "custody_refusals_total",
                                   "Reasons of refusals, by reason code.", MetricType::Counter);
  for (std::size_t code = 0; code < LedgerMetrics::kReasonsMax; ++code) {
    const std::uint64_t count = metrics.refused_by_reason[code];
    if (count == 0) continue;
    const auto reason = static_cast<v1::ReasonCode>(code);
    AddValue(&family, {Label{"reason", std::string(ReasonName(reason))}},
             static_cast<double>(count));
  }
}

void AddWitnessing(const WitnessingStatus& status, std::uint64_t size, Families* families) {
  AddGauge(families, "custody_witnessed_size", "Size of the newest checkpoint with a quorum.",
           static_cast<double>(status.witnessed_size));
  AddGauge(families, "custody_witnessed_lag_entries", "Entries that no quorum has cosigned yet.",
           static_cast<double>(size - std::min(size, status.witnessed_size)));
  AddGauge(families, "custody_witnessed_timestamp_seconds", "When the newest quorum stood.",
           static_cast<double>(status.witnessed_time_seconds));
  AddGauge(families, "custody_witness_alarm",
           "1 once a witness has shown or claimed another history; must stay 0.",
           status.alarm ? 1 : 0);
  AddCounter(families, "custody_witness_rounds_total", "Checkpoints shown to the witnesses.",
             status.rounds);
  AddCounter(families, "custody_witness_rounds_without_quorum_total", "Of these, without a quorum.",
             status.rounds_without_quorum);
  AddCounter(families, "custody_witness_forged_lines_total",
             "Cosignatures under a witness's name that did not verify.", status.forged_lines);
  Families each;
  AddFamily(&each, "custody_witness_cosigned_size", "By witness.", MetricType::Gauge);
  AddFamily(&each, "custody_witness_failing", "1 while the newest attempt has failed.",
            MetricType::Gauge);
  for (const WitnessReport& report : status.witnesses) {
    AddValue(&each[0], {Label{"witness", report.name}}, static_cast<double>(report.cosigned_size));
    AddValue(&each[1], {Label{"witness", report.name}}, report.error.empty() ? 0 : 1);
  }
  for (MetricFamily& family : each) families->push_back(std::move(family));
}

}  // namespace

void CallCounters::Count(std::string_view method, absl::StatusCode code) {
  const MutexLock lock(mutex_);
  ++counts_[{method, code}];
}

std::map<std::pair<std::string, std::string>, std::uint64_t> CallCounters::counts() const {
  const MutexLock lock(mutex_);
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const auto& [call, count] : counts_) {
    counts[{std::string(call.first), absl::StatusCodeToString(call.second)}] = count;
  }
  return counts;
}

std::string MetricsText(const Ledger& ledger, const CallCounters& calls,
                        const WitnessKeeper* witnesses, std::string_view version,
                        std::string_view commit) {
  Families families;
  AddValue(&AddFamily(&families, "custody_build_info", "What runs.", MetricType::Gauge),
           {Label{"version", std::string(version)}, Label{"commit", std::string(commit)}}, 1);
  AddState(ledger.Status(), &families);
  if (witnesses != nullptr) {
    AddWitnessing(witnesses->Status(), ledger.Snapshot()->size(), &families);
  }
  const LedgerMetrics& metrics = ledger.metrics();
  AddCounters(metrics, &families);
  AddRefusals(metrics, &families);
  constexpr double kMicrosecond = 1e-6;
  AddHistogram(&families, "custody_batch_entries", "Entries of a batch.", metrics.batch_events, 1);
  AddHistogram(&families, "custody_batch_bytes", "Bytes of a batch.", metrics.batch_bytes, 1);
  AddHistogram(&families, "custody_commit_sync_seconds", "The synced write of a batch.",
               metrics.commit_sync_us, kMicrosecond);
  AddHistogram(&families, "custody_plan_seconds", "Rules and entry of one event.", metrics.plan_us,
               kMicrosecond);
  AddHistogram(&families, "custody_record_seconds", "From admission to the answer.",
               metrics.record_us, kMicrosecond);
  AddHistogram(&families, "custody_verify_seconds", "Parsing and signatures of one event.",
               metrics.verify_us, kMicrosecond);
  MetricFamily& answers = AddFamily(&families, "custody_answers_total",
                                    "Answers by method and status.", MetricType::Counter);
  for (const auto& [name, count] : calls.counts()) {
    AddValue(&answers, {Label{"method", name.first}, Label{"code", name.second}},
             static_cast<double>(count));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace custody

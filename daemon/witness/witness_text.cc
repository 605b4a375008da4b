#include "daemon/witness/witness_text.h"

#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "daemon/build_info.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace custody {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

MetricFamily& AddFamily(Families* families, std::string_view name, std::string_view help,
                        MetricType type) {
  MetricFamily& family = families->emplace_back();
  family.name = std::string(name);
  family.help = std::string(help);
  family.type = type;
  return family;
}

void AddValue(MetricFamily* family, std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric& metric = family->metric.emplace_back();
  metric.label = std::move(labels);
  (family->type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
}

void AddCounter(Families* families, std::string_view name, std::string_view help,
                std::uint64_t value) {
  AddValue(&AddFamily(families, name, help, MetricType::Counter), {}, static_cast<double>(value));
}

void AddLogs(const Witness& witness, Families* families) {
  Families per_log;
  AddFamily(&per_log, "custody_witness_log_size", "Size of the newest checkpoint cosigned.",
            MetricType::Gauge);
  AddFamily(&per_log, "custody_witness_cosigned_timestamp_seconds",
            "The time of the newest cosignature.", MetricType::Gauge);
  AddFamily(&per_log, "custody_witness_evidence_files",
            "Files of evidence against the log; must stay 0.", MetricType::Gauge);
  for (const auto& [origin, progress] : witness.progress()) {
    const std::vector<ClientMetric::Label> label = {{"origin", origin}};
    AddValue(&per_log[0], label, static_cast<double>(progress.size));
    AddValue(&per_log[1], label, static_cast<double>(progress.time_seconds));
    AddValue(&per_log[2], label, static_cast<double>(progress.evidence_files));
  }
  for (MetricFamily& family : per_log) families->push_back(std::move(family));
}

void AddAudit(const AuditorStatus& status, Families* families) {
  AddValue(
      &AddFamily(families, "custody_witness_audited_size",
                 "Size of the newest checkpoint whose entries were recomputed.", MetricType::Gauge),
      {}, static_cast<double>(status.audited_size));
  AddValue(&AddFamily(families, "custody_witness_audit_read_size", "Entries read by the audit.",
                      MetricType::Gauge),
           {}, static_cast<double>(status.read_size));
  AddValue(&AddFamily(families, "custody_witness_audit_alarm",
                      "1 once the audit has found the log false; must stay 0.", MetricType::Gauge),
           {}, status.alarm ? 1 : 0);
  MetricFamily& info = AddFamily(families, "custody_witness_audit_alarm_info",
                                 "There while there is an alarm: the file of the finding; empty "
                                 "while it cannot be written.",
                                 MetricType::Gauge);
  if (status.alarm) AddValue(&info, {{"evidence", status.evidence}}, 1);
  AddCounter(families, "custody_witness_audit_unrepeated_total",
             "What the audit found false and did not find again; must stay 0: the memory or the "
             "disk of this machine.",
             status.unrepeated);
  AddValue(&AddFamily(families, "custody_witness_audit_failing", "1 while the audit stands still.",
                      MetricType::Gauge),
           {}, status.error.empty() ? 0 : 1);
  AddValue(
      &AddFamily(families, "custody_witness_audit_work_folder_failing",
                 "1 while the audit stands still because of its own folder.", MetricType::Gauge),
      {}, status.is_work_folder_failing ? 1 : 0);
}

HttpResponse Plain(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", std::string(text)};
}

// What an operator must look at, a line for each cause.
HttpResponse Health(const Witness& witness, const Auditor* auditor) {
  std::string causes;
  if (!witness.healthy()) {
    causes += "there is evidence against a log: see the data folder and the log\n";
  }
  const AuditorStatus audit = auditor == nullptr ? AuditorStatus() : auditor->Status();
  if (audit.alarm) {
    causes += audit.evidence.empty()
                  ? "the audit has found a log false, which cannot be written: see the log\n"
                  : absl::StrFormat("the audit has found a log false: see %s\n", audit.evidence);
  }
  return causes.empty() ? Plain(200, "watching\n") : Plain(503, causes);
}

HttpResponse AnswerGet(const Witness& witness, const Auditor* auditor, std::string_view path) {
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4", WitnessMetricsText(witness, auditor)};
  }
  if (path == "/healthz") return Health(witness, auditor);
  constexpr std::string_view kTail = "/checkpoint";
  if (path.size() == 1 + 64 + kTail.size() && path.ends_with(kTail)) {
    return witness.GetCheckpoint(path.substr(1, 64));
  }
  return Plain(404,
               "there are /add-checkpoint, /<hash of origin>/checkpoint, /healthz, /metrics\n");
}

}  // namespace

std::string WitnessMetricsText(const Witness& witness, const Auditor* auditor) {
  Families families;
  AddValue(&AddFamily(&families, "custody_witness_build_info", "What runs.", MetricType::Gauge),
           {{"version", std::string(BuildVersion())}, {"commit", std::string(BuildCommit())}}, 1);
  const WitnessMetrics& metrics = witness.metrics();
  MetricFamily& answers = AddFamily(&families, "custody_witness_answers_total",
                                    "Answers to add-checkpoint by status.", MetricType::Counter);
  for (std::size_t i = 0; i < kAddCheckpointStatuses.size(); ++i) {
    AddValue(&answers, {{"status", std::to_string(kAddCheckpointStatuses[i])}},
             static_cast<double>(metrics.answers[i]));
  }
  AddCounter(&families, "custody_witness_forks_total",
             "Two roots signed for one size; must stay 0.", metrics.forks);
  AddCounter(&families, "custody_witness_false_proofs_total",
             "Signed checkpoints not shown to continue the log; must stay 0.",
             metrics.false_proofs);
  AddCounter(&families, "custody_witness_evidence_failures_total",
             "Evidence that could not be written.", metrics.evidence_failures);
  AddCounter(&families, "custody_witness_clock_refusals_total",
             "Cosignatures not given for want of a clock.", metrics.clock_refusals);
  AddLogs(witness, &families);
  if (auditor != nullptr) AddAudit(auditor->Status(), &families);
  return prometheus::TextSerializer().Serialize(families);
}

HttpResponse AnswerWitnessRequest(Witness& witness, const Auditor* auditor,
                                  const HttpRequest& request) {
  if (request.path == "/add-checkpoint") {
    return request.method == "POST" ? witness.AddCheckpoint(request.body)
                                    : Plain(405, "add-checkpoint wants POST\n");
  }
  return request.method == "GET" ? AnswerGet(witness, auditor, request.path)
                                 : Plain(405, "only GET\n");
}

}  // namespace custody

// The lists of LedgerReader: events by filter, subjects, cases, clocks, pending decisions.

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "custody/v1/event.pb.h"
#include "daemon/ledger/entry_lists.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/catalogue.h"
#include "storage/key_codec.h"

namespace custody {
namespace {

constexpr std::size_t kPageEntriesMax = 1'000;
constexpr std::size_t kPageEntriesDefault = 100;
// Entries that one page looks at; a rare filter goes on with the next page.
constexpr std::size_t kPageCandidatesMax = 20'000;

// When an order's follow-up is due: calendar months after the administration, in the clinic's zone,
// clamped to the end of the month.
struct Milestone {
  v1::FollowUpMilestone milestone;
  const char* name;
  int months;
  int window_days;
};
constexpr std::array<Milestone, 3> kMilestones = {{
    {v1::FOLLOW_UP_MILESTONE_M1, "follow-up-1-month", 1, 7},
    {v1::FOLLOW_UP_MILESTONE_M3, "follow-up-3-months", 3, 14},
    {v1::FOLLOW_UP_MILESTONE_M6, "follow-up-6-months", 6, 21},
}};

absl::CivilDay AddMonths(absl::CivilDay day, int months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  const absl::CivilDay same = absl::CivilDay(month) + (day.day() - 1);
  return same > last ? last : same;
}

v1::Clock ClockOf(const SubjectKey& order, std::int64_t administered_at_ms,
                  const Milestone& milestone, absl::TimeZone zone) {
  const absl::CivilDay given = absl::ToCivilDay(absl::FromUnixMillis(administered_at_ms), zone);
  const absl::CivilDay due = AddMonths(given, milestone.months);
  v1::Clock clock;
  clock.set_kind(milestone.name);
  *clock.mutable_subject() = RefOf(order);
  clock.set_starts_at_ms(administered_at_ms);
  clock.set_window_begins_at_ms(
      absl::ToUnixMillis(absl::FromCivil(due - milestone.window_days, zone)));
  // The window's last day belongs to it.
  clock.set_due_at_ms(absl::ToUnixMillis(absl::FromCivil(due + (milestone.window_days + 1), zone)));
  return clock;
}

bool Contains(const google::protobuf::RepeatedPtrField<std::string>& list, std::string_view value) {
  return std::any_of(list.begin(), list.end(), [&](const auto& item) { return item == value; });
}

bool SignedBy(const v1::SignedEvent& signed_event, const std::string& person_id) {
  for (const v1::Signature& signature : signed_event.signatures()) {
    v1::SignatureStatement plain;
    v1::BatchStatement batch;
    if (plain.ParseFromString(signature.statement()) && plain.person_id() == person_id) return true;
    if (batch.ParseFromString(signature.statement()) && batch.events_count() > 0 &&
        batch.person_id() == person_id) {
      return true;
    }
  }
  return false;
}

bool Touches(const v1::Event& event, const v1::SubjectRef& wanted) {
  return std::any_of(event.subjects().begin(), event.subjects().end(), [&](const auto& subject) {
    return subject.kind() == wanted.kind() && subject.id() == wanted.id();
  });
}

bool InPeriod(const v1::ListEventsRequest& request, std::int64_t at_ms) {
  return (request.recorded_from_ms() == 0 || at_ms >= request.recorded_from_ms()) &&
         (request.recorded_to_ms() == 0 || at_ms < request.recorded_to_ms());
}

bool HasCode(const v1::ListEventsRequest& request, const v1::Event& event) {
  if (request.codes().empty()) return true;
  const CatalogueEntry* row = FindCatalogueEntry(event);
  return row != nullptr && Contains(request.codes(), row->row.code());
}

absl::StatusOr<bool> Matches(const v1::ListEventsRequest& request, const StoredEntry& stored) {
  v1::Entry entry;
  v1::Event event;
  if (!entry.ParseFromString(stored.bytes) ||
      !event.ParseFromString(entry.signed_event().event())) {
    return absl::DataLossError(absl::StrFormat("entry %d does not parse", stored.index));
  }
  if (!entry.has_signed_event()) return false;
  if (!InPeriod(request, entry.recorded_at_ms())) return false;
  if (request.has_subject() && !Touches(event, request.subject())) return false;
  if (!request.site_id().empty() && event.site_id() != request.site_id()) return false;
  if (!HasCode(request, event)) return false;
  return request.person_id().empty() || SignedBy(entry.signed_event(), request.person_id());
}

// The numbers of the entries themselves.
std::vector<std::uint64_t> AllIndices(std::uint64_t begin, std::uint64_t end, bool newest_first,
                                      std::size_t count_max) {
  std::vector<std::uint64_t> indices;
  const std::uint64_t count = std::min<std::uint64_t>(end > begin ? end - begin : 0, count_max);
  for (std::uint64_t i = 0; i < count; ++i) {
    indices.push_back(newest_first ? end - 1 - i : begin + i);
  }
  return indices;
}

std::string KeyOfListedCase(std::string_view id, bool include_closed) {
  return include_closed ? KeyOfState({v1::SUBJECT_KIND_CASE, std::string(id)}) : KeyOfOpenCase(id);
}

// Every case if no subject is named.
bool Concerns(const v1::CaseState& state, const std::optional<SubjectKey>& about) {
  return !about || std::any_of(state.scope().begin(), state.scope().end(),
                               [&](const auto& ref) { return KeyOf(ref) == *about; });
}

absl::StatusOr<std::uint64_t> ParseToken(const std::string& token, std::uint64_t size) {
  const absl::StatusOr<std::string> bytes = FromHex(token);
  if (!bytes.ok() || bytes->size() != 8) {
    return absl::InvalidArgumentError("page_token was not made by this ledger");
  }
  const std::uint64_t value = ReadBigEndian64(*bytes);
  if (value > size) return absl::InvalidArgumentError("the page token is of another log");
  return value;
}

}  // namespace

absl::StatusOr<std::vector<std::uint64_t>> LedgerReader::CandidatePage(
    const v1::ListEventsRequest& request, std::uint64_t begin, std::uint64_t end,
    std::size_t count_max) const {
  const ReadView& view = *snapshot_->view;
  const bool newest_first = request.newest_first();
  if (request.has_subject()) {
    CUSTODY_ASSIGN_OR_RETURN(std::vector<std::uint64_t> chain,
                             Chain(KeyOf(request.subject()), 0, ~std::size_t{0}));
    std::erase_if(chain, [&](std::uint64_t index) { return index < begin || index >= end; });
    if (newest_first) std::reverse(chain.begin(), chain.end());
    if (chain.size() > count_max) chain.resize(count_max);
    return chain;
  }
  if (!request.person_id().empty()) {
    return ReadEntryList(view, PrefixOfSigner({v1::SUBJECT_KIND_PERSON, request.person_id()}),
                         begin, end, newest_first, count_max);
  }
  if (request.codes_size() == 1) {
    return ReadEntryList(view, PrefixOfCode(request.codes(0)), begin, end, newest_first, count_max);
  }
  if (!request.site_id().empty()) {
    return ReadEntryList(view, PrefixOfSite(request.site_id()), begin, end, newest_first,
                         count_max);
  }
  return AllIndices(begin, end, newest_first, count_max);
}

absl::StatusOr<LedgerReader::EventPage> LedgerReader::ListEvents(
    const v1::ListEventsRequest& request) const {
  std::size_t wanted = request.page_size() == 0 ? kPageEntriesDefault : request.page_size();
  wanted = std::min(wanted, kPageEntriesMax);
  std::uint64_t begin = 0;
  std::uint64_t end = size();
  if (!request.page_token().empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t token, ParseToken(request.page_token(), size()));
    (request.newest_first() ? end : begin) = token;
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::uint64_t> candidates,
                           CandidatePage(request, begin, end, kPageCandidatesMax));
  EventPage page;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    CUSTODY_ASSIGN_OR_RETURN(StoredEntry entry, GetEntry(candidates[i]));
    CUSTODY_ASSIGN_OR_RETURN(const bool matches, Matches(request, entry));
    if (matches) page.entries.push_back(std::move(entry));
    const bool last_of_many = i + 1 == candidates.size() && candidates.size() == kPageCandidatesMax;
    if ((page.entries.size() == wanted && i + 1 < candidates.size()) || last_of_many) {
      // Text: a string of the protocol holds no raw bytes.
      page.next_page_token =
          ToHex(EncodeU64(request.newest_first() ? candidates[i] : candidates[i] + 1));
      break;
    }
  }
  return page;
}

absl::StatusOr<std::vector<SubjectKey>> LedgerReader::ListSubjects(v1::SubjectKind kind,
                                                                   std::string_view after_id,
                                                                   std::size_t count_max) const {
  std::vector<SubjectKey> subjects;
  absl::Status bad;
  std::string begin = PrefixOfStates(kind);
  if (!after_id.empty()) begin = KeyOfState({kind, std::string(after_id)}) + '\0';
  CUSTODY_RETURN_IF_ERROR(snapshot_->view->Scan(
      begin, PrefixEnd(PrefixOfStates(kind)), [&](std::string_view key, std::string_view) {
        if (subjects.size() >= count_max) return false;
        absl::StatusOr<SubjectKey> subject = SubjectOfStateKey(key);
        if (!subject.ok()) bad = subject.status();
        if (subject.ok()) subjects.push_back(*std::move(subject));
        return bad.ok();
      }));
  CUSTODY_RETURN_IF_ERROR(bad);
  return subjects;
}

absl::StatusOr<std::vector<v1::SubjectState>> LedgerReader::ListCases(
    const std::optional<SubjectKey>& about, bool include_closed, std::string_view after_id,
    std::size_t count_max) const {
  std::vector<v1::SubjectState> cases;
  absl::Status bad;
  const std::string prefix =
      include_closed ? PrefixOfStates(v1::SUBJECT_KIND_CASE) : PrefixOfTable(Table::kOpenCase);
  const std::string begin =
      after_id.empty() ? prefix : KeyOfListedCase(after_id, include_closed) + '\0';
  CUSTODY_RETURN_IF_ERROR(
      snapshot_->view->Scan(begin, PrefixEnd(prefix), [&](std::string_view key, std::string_view) {
        if (cases.size() >= count_max) return false;
        absl::StatusOr<SubjectKey> subject =
            SubjectKey{v1::SUBJECT_KIND_CASE, std::string(key.substr(1))};
        if (include_closed) subject = SubjectOfStateKey(key);
        const absl::StatusOr<const v1::SubjectState*> state =
            subject.ok() ? Find(*subject) : subject.status();
        if (!state.ok()) bad = state.status();
        if (!state.ok() || *state == nullptr) return bad.ok();
        if (Concerns((*state)->case_(), about)) cases.push_back(**state);
        return true;
      }));
  CUSTODY_RETURN_IF_ERROR(bad);
  return cases;
}

absl::StatusOr<std::vector<v1::Clock>> LedgerReader::ListClocks(
    const std::optional<SubjectKey>& about, bool include_met, std::int64_t now_ms) const {
  std::vector<SubjectKey> orders;
  if (about.has_value()) {
    orders.push_back(*about);
  } else {
    const std::string prefix = PrefixOfTable(Table::kRunningOrder);
    CUSTODY_RETURN_IF_ERROR(snapshot_->view->Scan(
        prefix, PrefixEnd(prefix), [&](std::string_view key, std::string_view) {
          orders.push_back({v1::SUBJECT_KIND_ORDER, std::string(key.substr(1))});
          return true;
        }));
  }
  std::vector<v1::Clock> clocks;
  for (const SubjectKey& order : orders) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, Find(order));
    if (state == nullptr || state->order().administered_at_ms() == 0) continue;
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* site,
                             Find({v1::SUBJECT_KIND_SITE, state->order().site_id()}));
    absl::TimeZone zone = absl::UTCTimeZone();
    if (site != nullptr) absl::LoadTimeZone(site->site().time_zone(), &zone);
    for (const Milestone& milestone : kMilestones) {
      const auto& seen = state->order().follow_ups();
      const bool met = std::find(seen.begin(), seen.end(), milestone.milestone) != seen.end();
      if (met && !include_met) continue;
      v1::Clock clock = ClockOf(order, state->order().administered_at_ms(), milestone, zone);
      clock.set_met(met);
      clock.set_breached(!met && now_ms > clock.due_at_ms());
      clocks.push_back(std::move(clock));
    }
  }
  return clocks;
}

absl::StatusOr<std::vector<v1::PendingEvent>> LedgerReader::ListPending(
    std::string_view site_id, std::int64_t now_ms, std::string_view after_digest,
    std::size_t count_max) const {
  std::vector<v1::PendingEvent> list;
  bool parsed = true;
  const std::string prefix = PrefixOfTable(Table::kPending);
  std::string begin = prefix + std::string(after_digest);
  if (!after_digest.empty()) begin += '\0';
  CUSTODY_RETURN_IF_ERROR(snapshot_->view->Scan(
      begin, PrefixEnd(prefix), [&](std::string_view, std::string_view value) {
        if (list.size() >= count_max) return false;
        v1::PendingEvent pending;
        v1::Event event;
        parsed = pending.ParseFromArray(value.data(), static_cast<int>(value.size())) &&
                 event.ParseFromString(pending.signed_event().event());
        const bool wanted =
            pending.expires_at_ms() >= now_ms && (site_id.empty() || event.site_id() == site_id);
        if (parsed && wanted) list.push_back(std::move(pending));
        return parsed;
      }));
  if (!parsed) return absl::DataLossError("a pending decision does not parse");
  return list;
}

absl::StatusOr<std::optional<v1::PendingEvent>> LedgerReader::FindPending(
    const Digest& event_digest) const {
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, snapshot_->view->Get(KeyOfPending(event_digest)));
  if (!bytes.has_value()) return std::optional<v1::PendingEvent>();
  v1::PendingEvent pending;
  if (!pending.ParseFromString(*bytes)) {
    return absl::DataLossError("a pending decision does not parse");
  }
  return std::optional<v1::PendingEvent>(std::move(pending));
}

}  // namespace custody

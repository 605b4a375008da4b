// Reading events: list and show.

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/event_text.h"
#include "client/cli/exit_code.h"
#include "client/draft/time_text.h"
#include "custody/event_builder.h"

namespace custody {
namespace {

struct ListOptions {
  std::string subject;
  std::vector<std::string> codes;
  std::string site;
  std::string signer;
  std::string since;
  std::string until;
  std::uint32_t limit = 50;
  bool oldest_first = false;
};

struct ShowOptions {
  std::string which;
};

absl::Status ReadMoment(const std::string& option, const std::string& text, std::int64_t* out_ms) {
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<TimeText> time = ParseTimeText(text, NowMs());
  if (!time.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %s", option, StdView(time.status().message())));
  }
  *out_ms = time->utc_ms;
  return absl::OkStatus();
}

absl::StatusOr<v1::ListEventsRequest> BuildList(Session& session, const ListOptions& options) {
  v1::ListEventsRequest request;
  if (!options.subject.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_subject(), session.ResolveSubject(options.subject));
  }
  if (!options.site.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_site_id(), session.ResolveId(options.site));
  }
  if (!options.signer.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_person_id(), session.ResolveSigner(options.signer));
  }
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
  CUSTODY_RETURN_IF_ERROR(ReadMoment("--since", options.since, &from_ms));
  CUSTODY_RETURN_IF_ERROR(ReadMoment("--until", options.until, &to_ms));
  request.set_recorded_from_ms(from_ms);
  request.set_recorded_to_ms(to_ms);
  for (const std::string& code : options.codes) request.add_codes(code);
  request.set_newest_first(!options.oldest_first);
  return request;
}

// Page after page, until there are `limit` entries or no more. `more` says whether some are left.
absl::StatusOr<std::vector<std::string>> FetchEntries(Client& client, v1::ListEventsRequest request,
                                                      std::uint32_t limit, bool* more) {
  std::vector<std::string> entries;
  do {
    request.set_page_size(limit - static_cast<std::uint32_t>(entries.size()));
    CUSTODY_ASSIGN_OR_RETURN(v1::ListEventsResponse response, client.ListEvents(request));
    for (v1::BundleEntry& entry : *response.mutable_entries()) {
      entries.push_back(std::move(*entry.mutable_entry()));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && entries.size() < limit);
  *more = !request.page_token().empty();
  return entries;
}

absl::StatusOr<int> ListEvents(Session& session, const ListOptions& options) {
  if (options.limit == 0) return absl::InvalidArgumentError("--limit is 1 or more, not 0");
  CUSTODY_ASSIGN_OR_RETURN(const v1::ListEventsRequest request, BuildList(session, options));
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  bool more = false;
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> entries,
                           FetchEntries(*client, request, options.limit, &more));
  if (session.terminal().json()) {
    std::vector<std::string> items;
    for (const std::string& entry : entries) {
      CUSTODY_ASSIGN_OR_RETURN(items.emplace_back(), EntryJson(entry));
    }
    session.terminal().JsonList(items);
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& entry : entries) {
      CUSTODY_ASSIGN_OR_RETURN(rows.emplace_back(), EntryRow(session, entry));
    }
    session.terminal().Table({"INDEX", "RECORDED", "EVENT", "FINDINGS"}, rows);
  }
  if (more) session.terminal().Note("there are more; raise --limit or narrow the question");
  return kExitOk;
}

absl::StatusOr<int> ShowEvent(Session& session, const ShowOptions& options) {
  v1::GetEntryRequest request;
  std::uint64_t index = 0;
  if (options.which.size() == 64) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_event_digest(), FromHex(options.which));
  } else if (options.which.size() == 32) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_event_id(), FromHex(options.which));
  } else if (absl::SimpleAtoi(AbslView(options.which), &index)) {
    request.set_index(index);
  } else {
    return absl::InvalidArgumentError(absl::StrFormat(
        "'%s' is no index, event id (32 digits) or event digest (64 digits)", options.which));
  }
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const v1::GetEntryResponse response, client->GetEntry(request));
  CUSTODY_ASSIGN_OR_RETURN(const std::string json, EntryJson(response.entry()));
  session.terminal().JsonText(json);
  return kExitOk;
}

void BindList(CLI::App* command, ListOptions* options) {
  command->add_option("subject", options->subject,
                      "kind:@name, kind:hex, a label scan or key, scheme=value");
  command->add_option("--code", options->codes, "Catalogue code, for example CLN-12")
      ->allow_extra_args(false);
  command->add_option("--site", options->site, "Site where it happened: @name or hexadecimal");
  command->add_option("--signer", options->signer,
                      "Who signed: a signer of this machine, @name or hexadecimal");
  command->add_option("--since", options->since, "Recorded at or after, for example now-7d");
  command->add_option("--until", options->until, "Recorded before");
  command->add_option("--limit", options->limit, "At most this many")->capture_default_str();
  command->add_flag("--oldest-first", options->oldest_first, "The oldest first");
}

}  // namespace

void AddEventQueryCommands(Commands* commands, CLI::App* event) {
  commands->Add<ListOptions>(event, "list", "List events, the newest first", BindList, ListEvents);
  commands->Add<ShowOptions>(
      event, "show", "Show one entry whole, as JSON",
      [](CLI::App* command, ShowOptions* options) {
        command->add_option("which", options->which, "Index, event id or event digest")->required();
      },
      ShowEvent);
}

}  // namespace custody

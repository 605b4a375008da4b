#include <iterator>
#include <map>
#include <set>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "lifecycle/subject.h"

namespace custody {
namespace {

struct TraceOptions {
  std::string subject;
  std::uint32_t depth = 0;
  bool graphviz = false;
};

std::string Label(Session& session, const v1::TraceNode& node) {
  std::string label =
      absl::StrFormat("%s %s", KindName(node.subject().kind()), session.NameOf(node.subject()));
  if (!node.summary().empty()) label += "  " + node.summary();
  if (node.repeated_node()) label += "  (see above)";
  return label;
}

std::string NodeKey(const v1::SubjectRef& subject) {
  return absl::StrFormat("%d-%s", subject.kind(), ToHex(subject.id()));
}

// Draws what was reached from `parent`. The depth is that of the answer, which the server bounds.
void PrintChildren(Session& session, const std::vector<v1::TraceNode>& nodes,
                   const std::multimap<std::string, std::size_t>& children,
                   const std::string& parent, const std::string& indent) {
  const auto [begin, end] = children.equal_range(parent);
  for (auto child = begin; child != end; ++child) {
    const bool last = std::next(child) == end;
    const v1::TraceNode& node = nodes[child->second];
    session.terminal().Line(indent + (last ? "└── " : "├── ") + Label(session, node));
    if (node.repeated_node()) continue;
    PrintChildren(session, nodes, children, NodeKey(node.subject()),
                  indent + (last ? "    " : "│   "));
  }
}

// A tree drawn from the edges, whatever the order in which they came.
void PrintTree(Session& session, const std::vector<v1::TraceNode>& nodes) {
  std::multimap<std::string, std::size_t> children;
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    children.emplace(NodeKey(nodes[i].reached_from()), i);
  }
  if (nodes.empty()) return;
  session.terminal().Line(Label(session, nodes[0]));
  PrintChildren(session, nodes, children, NodeKey(nodes[0].subject()), "");
}

void PrintGraphviz(Session& session, const std::vector<v1::TraceNode>& nodes) {
  const Terminal& terminal = session.terminal();
  const auto key = [](const v1::SubjectRef& subject) {
    return absl::StrFormat("\"%d-%s\"", subject.kind(), ToHex(subject.id()));
  };
  terminal.Line("digraph custody {\n  rankdir=BT;\n  node [shape=box, fontname=\"sans-serif\"];");
  std::set<std::string> drawn;
  for (const v1::TraceNode& node : nodes) {
    if (drawn.insert(key(node.subject())).second) {
      std::string label = Label(session, node);
      for (std::size_t at = 0; (at = label.find('"', at)) != std::string::npos; at += 2)
        label.insert(at, "\\");
      terminal.Line(absl::StrFormat("  %s [label=\"%s\"];", key(node.subject()), label));
    }
    if (node.has_reached_from() && node.depth() > 0) {
      terminal.Line(absl::StrFormat("  %s -> %s;", key(node.reached_from()), key(node.subject())));
    }
  }
  terminal.Line("}");
}

absl::StatusOr<int> Trace(Session& session, const TraceOptions& options, bool back) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectRef subject, session.ResolveSubject(options.subject));
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  std::vector<v1::TraceNode> nodes;
  const auto collect = [&nodes](const v1::TraceNode& node) {
    nodes.push_back(node);
    return true;
  };
  if (back) {
    v1::TraceBackRequest request;
    *request.mutable_subject() = subject;
    request.set_depth_max(options.depth);
    CUSTODY_RETURN_IF_ERROR(client->TraceBack(request, collect));
  } else {
    v1::TraceForwardRequest request;
    *request.mutable_subject() = subject;
    request.set_depth_max(options.depth);
    CUSTODY_RETURN_IF_ERROR(client->TraceForward(request, collect));
  }
  if (options.graphviz) {
    PrintGraphviz(session, nodes);
  } else if (session.terminal().json()) {
    std::vector<std::string> items;
    items.reserve(nodes.size());
    for (const v1::TraceNode& node : nodes) items.push_back(MessageToJson(node));
    session.terminal().JsonList(items);
  } else {
    PrintTree(session, nodes);
  }
  return kExitOk;
}

void BindTrace(CLI::App* command, TraceOptions* options) {
  command
      ->add_option("subject", options->subject,
                   "kind:@name, kind:hex, a label scan or key, scheme=value")
      ->required();
  command->add_option("--depth", options->depth, "Longest path (0: all)");
  command->add_flag("--graphviz", options->graphviz, "Graphviz source instead of a tree");
}

}  // namespace

void AddTraceCommands(Commands* commands) {
  CLI::App* trace = commands->app.add_subcommand("trace", "From donor to patient and back");
  trace->require_subcommand(1);
  commands->Add<TraceOptions>(trace, "back", "From a subject back to its donors", BindTrace,
                              [](Session& session, const TraceOptions& options) {
                                return Trace(session, options, /*back=*/true);
                              });
  commands->Add<TraceOptions>(trace, "forward",
                              "From a subject to everything made from it, and who received it",
                              BindTrace, [](Session& session, const TraceOptions& options) {
                                return Trace(session, options, /*back=*/false);
                              });
}

}  // namespace custody

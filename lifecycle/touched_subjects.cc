#include "lifecycle/touched_subjects.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "custody/v1/options.pb.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/subject.h"

namespace custody {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What to do with one field of a message on the way to the touched subjects.
struct Step {
  enum class Kind { kId, kRefs, kDescend };
  const FieldDescriptor* field;
  Kind kind;
  v1::SubjectKind subject_kind = v1::SUBJECT_KIND_UNSPECIFIED;
  v1::SubjectRole subject_role = v1::SUBJECT_ROLE_UNSPECIFIED;
};

// The steps of every message type below the bodies, found once: options are not looked up while
// events are read.
class Plan {
 public:
  Plan() {
    for (const CatalogueEntry& entry : Catalogue()) Build(entry.body_field->message_type());
  }

  const std::vector<Step>& StepsOf(const Descriptor* type) const { return steps_.at(type); }

 private:
  // Message types do not contain themselves, so this ends.
  bool Build(const Descriptor* type) {
    if (const auto found = steps_.find(type); found != steps_.end()) return !found->second.empty();
    std::vector<Step> steps;
    for (int i = 0; i < type->field_count(); ++i) AddStep(type->field(i), &steps);
    std::sort(steps.begin(), steps.end(),
              [](const Step& a, const Step& b) { return a.field->number() < b.field->number(); });
    const bool touches = !steps.empty();
    steps_.emplace(type, std::move(steps));
    return touches;
  }

  void AddStep(const FieldDescriptor* field, std::vector<Step>* steps) {
    const auto& options = field->options();
    if (options.HasExtension(v1::touches)) {
      const v1::Touch& touch = options.GetExtension(v1::touches);
      steps->push_back({field, Step::Kind::kId, touch.kind(), touch.role()});
    } else if (options.GetExtension(v1::touches_refs)) {
      steps->push_back({field, Step::Kind::kRefs});
    } else if (field->message_type() != nullptr && Build(field->message_type())) {
      steps->push_back({field, Step::Kind::kDescend});
    }
  }

  absl::flat_hash_map<const Descriptor*, std::vector<Step>> steps_;
};

class Collector {
 public:
  explicit Collector(const Plan& plan) : plan_(plan) {}

  void Visit(const Message& message) {
    const Reflection& reflection = *message.GetReflection();
    for (const Step& step : plan_.StepsOf(message.GetDescriptor())) {
      if (step.field->is_repeated()) {
        const int count = reflection.FieldSize(message, step.field);
        for (int i = 0; i < count; ++i) VisitElement(message, reflection, step, i);
      } else {
        VisitSingle(message, reflection, step);
      }
    }
  }

  std::vector<v1::SubjectRef> Take() { return std::move(refs_); }

 private:
  void VisitElement(const Message& message, const Reflection& reflection, const Step& step, int i) {
    std::string scratch;
    if (step.kind == Step::Kind::kId) {
      Add(step.subject_kind,
          reflection.GetRepeatedStringReference(message, step.field, i, &scratch),
          step.subject_role);
    } else {
      VisitMessage(reflection.GetRepeatedMessage(message, step.field, i), step);
    }
  }

  void VisitSingle(const Message& message, const Reflection& reflection, const Step& step) {
    std::string scratch;
    if (step.kind == Step::Kind::kId) {
      Add(step.subject_kind, reflection.GetStringReference(message, step.field, &scratch),
          step.subject_role);
    } else if (reflection.HasField(message, step.field)) {
      VisitMessage(reflection.GetMessage(message, step.field), step);
    }
  }

  void VisitMessage(const Message& message, const Step& step) {
    if (step.kind == Step::Kind::kDescend) {
      Visit(message);
      return;
    }
    const auto& ref = static_cast<const v1::SubjectRef&>(message);
    Add(ref.kind(), ref.id(), ref.role());
  }

  void Add(v1::SubjectKind kind, const std::string& id, v1::SubjectRole role) {
    if (id.empty()) return;
    SubjectKey key{kind, id};
    if (seen_.contains(key)) return;
    refs_.push_back(RefOf(key, role));
    seen_.insert(std::move(key));
  }

  const Plan& plan_;
  std::vector<v1::SubjectRef> refs_;
  absl::flat_hash_set<SubjectKey> seen_;
};

}  // namespace

std::vector<v1::SubjectRef> TouchedSubjects(const v1::Event& event) {
  static const Plan& plan = *new Plan();
  const CatalogueEntry* entry = FindCatalogueEntry(event);
  if (entry == nullptr) return {};
  Collector collector(plan);
  collector.Visit(event.GetReflection()->GetMessage(event, entry->body_field));
  return collector.Take();
}

void FillSubjects(v1::Event* event) {
  std::vector<v1::SubjectRef> refs = TouchedSubjects(*event);
  event->clear_subjects();
  for (v1::SubjectRef& ref : refs) *event->add_subjects() = std::move(ref);
}

}  // namespace custody

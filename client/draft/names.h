// The name book: readable names for the random ids of subjects, kept beside the lab's files.
//
// "@donor/alma" in a draft stands for 16 bytes. A name is created once, on purpose
// ("@+donor/alma"), so that a misspelt name is an error and never a new subject. The book is a JSON
// object of name to hexadecimal id; it is a convenience of the submitter and no part of the record.
//
// Threads: one thread.
// Limits:  a name has 1 to 100 characters: letters, digits, '/', '-', '_', '.'.

#ifndef CUSTODY_CLIENT_DRAFT_NAMES_H_
#define CUSTODY_CLIENT_DRAFT_NAMES_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

class NameBook {
 public:
  // Errors: kInvalidArgument if the text is not a name book.
  static absl::StatusOr<NameBook> Parse(std::string_view json);
  std::string ToJson() const;

  // The id behind a name. Errors: kNotFound, with the nearest name as a suggestion.
  absl::StatusOr<std::string> Find(std::string_view name) const;

  // A fresh random id of 16 bytes under a new name.
  // Errors: kAlreadyExists; kInvalidArgument if the name is malformed.
  absl::StatusOr<std::string> Create(std::string_view name);

  // Binds a name to known bytes (an id made elsewhere). Errors: as Create, unless the same is
  // bound.
  absl::Status Define(std::string_view name, std::string_view id);

  // The name of an id, or empty.
  std::string NameOf(std::string_view id) const;

  const std::map<std::string, std::string, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, std::string, std::less<>> entries_;
};

// The candidate with the least edit distance to `word`, or empty when none is near.
template <typename Candidates>
std::string NearestWord(std::string_view word, const Candidates& candidates);

// Levenshtein distance, capped by the longer length.
std::size_t EditDistance(std::string_view a, std::string_view b);

template <typename Candidates>
std::string NearestWord(std::string_view word, const Candidates& candidates) {
  std::string nearest;
  std::size_t least = word.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace custody

#endif  // CUSTODY_CLIENT_DRAFT_NAMES_H_

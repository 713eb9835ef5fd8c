#include "app/config_file.h"

#include <algorithm>
#include <optional>

namespace weft::app {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// One line, from left to right. A function that fails leaves a sentence in problem().
class LineReader {
 public:
  explicit LineReader(std::string_view line) : rest_(line) {}

  const std::string& problem() const { return problem_; }

  void skip_space() {
    const std::size_t text = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(text == std::string_view::npos ? rest_.size() : text);
  }
  bool take(char c) {
    skip_space();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_end() {
    skip_space();
    return rest_.empty() || rest_.front() == '#';
  }

  /// Up to something that no word holds.
  std::string_view word() {
    skip_space();
    const std::size_t end = std::min(rest_.find_first_of(" \t=#,[]\"'"), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found;
  }

  bool value(std::vector<std::string>& values) {
    if (take('[')) {
      while (!take(']')) {
        if (!text(values)) return false;
        if (take(',')) continue;
        if (take(']')) break;
        return fail("a list ends with ] on the same line");
      }
      return true;
    }
    if (is_quote()) return text(values);
    const std::string_view bare = word();
    const bool is_number = !bare.empty() && bare.find_first_not_of("0123456789") == bare.npos;
    if (!is_number && bare != "true" && bare != "false") {
      return fail("a value is \"text\", a whole number, true or false");
    }
    values.emplace_back(bare);
    return true;
  }

 private:
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool is_quote() {
    skip_space();
    return rest_.starts_with('"') || rest_.starts_with('\'');
  }
  bool text(std::vector<std::string>& values) {
    if (!is_quote()) return fail("a list holds texts in quotes");
    const char quote = rest_.front();
    std::string found;
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      char c = rest_[at];
      if (c == quote) {
        rest_.remove_prefix(at + 1);
        values.push_back(std::move(found));
        return true;
      }
      if (c == '\\' && quote == '"') {
        if (++at == rest_.size()) break;
        c = rest_[at];
        if (c != '"' && c != '\\') return fail("after a backslash comes \" or \\ here");
      }
      found += c;
    }
    return fail("the closing quote is missing");
  }

  std::string_view rest_;
  std::string problem_;
};

std::optional<std::string> parse_line(std::string_view line, ConfigEntry& entry) {
  LineReader reader(line);
  entry.name = reader.word();
  if (entry.name.empty() && reader.take('[')) return "there are no sections here";
  if (!is_name(entry.name)) return "a setting begins with its name, such as listen = \"…\"";
  if (!reader.take('=')) return "after " + entry.name + " comes =";
  if (!reader.value(entry.values)) return entry.name + ": " + reader.problem();
  if (!reader.at_end()) return entry.name + ": something follows the value";
  return std::nullopt;
}

}  // namespace

Result<std::vector<ConfigEntry>> parse_config(std::string_view text) {
  std::vector<ConfigEntry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (LineReader(line).at_end()) continue;
    ConfigEntry entry;
    entry.line = number;
    std::optional<std::string> problem = parse_line(line, entry);
    const auto same = [&](const ConfigEntry& other) { return other.name == entry.name; };
    if (!problem && std::any_of(entries.begin(), entries.end(), same)) {
      problem = entry.name + " stands there twice";
    }
    if (problem) {
      return Error{ErrorClass::invalid, "bad_config", std::to_string(number) + ": " + *problem};
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace weft::app

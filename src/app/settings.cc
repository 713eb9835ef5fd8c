#include "app/settings.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "app/config_file.h"
#include "app/serve_arguments.h"

extern char** environ;

namespace weft::app {
namespace {

using Values = std::vector<std::string>;

struct Source {
  Values values;
  std::string where;
};

/// Empty counts as not set.
std::string environment(const std::string& name) {
  // Nobody sets variables while this program runs.
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

std::string variable_of(std::string_view setting) {
  std::string name = "WEFT_";
  for (const char c : setting) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

/// The options that are settings, in the order of the help.
std::vector<const CLI::Option*> settings_of(const CLI::App& command) {
  std::vector<const CLI::Option*> found;
  for (const CLI::Option* option : command.get_options()) {
    const auto& names = option->get_lnames();
    if (!names.empty() && names.front() != "help" && names.front() != "config") {
      found.push_back(option);
    }
  }
  return found;
}

const std::string& name_of(const CLI::Option* option) { return option->get_lnames().front(); }
bool is_flag(const CLI::Option* option) { return option->get_items_expected_max() == 0; }
bool is_list(const CLI::Option* option) { return option->get_items_expected_max() > 1; }
bool says_where(const std::string& name) { return name == "data" || name == "database-url"; }

Error in(const std::string& where, const std::string& what) {
  return {ErrorClass::invalid, "bad_setting", where + ": " + what};
}

/// As if it were a flag.
Status apply(const std::string& name, const Source& source, ServeOptions& options) {
  CLI::App app;
  add_serve_options(app, options);
  std::vector<std::string> arguments;
  for (const std::string& value : source.values) {
    if (value.empty()) return in(source.where, name + " is empty");
    std::string argument = "--";
    arguments.push_back(argument.append(name).append("=").append(value));
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& problem) {
    return in(source.where, problem.what());
  }
  return ok_status();
}

Values split(const std::string& text) {
  Values values;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    values.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return values;
}

std::optional<Source> from_environment(const CLI::Option* option) {
  const std::string variable = variable_of(name_of(option));
  const std::string value = environment(variable);
  if (value.empty()) return std::nullopt;
  return Source{is_list(option) ? split(value) : Values{value}, variable};
}

/// Those that were there before the WEFT_ ones; choose_store() reads them.
std::optional<std::string> older_variable() {
  for (const char* name : {"DATABASE_URL", "DB_HOST"}) {
    if (!environment(name).empty()) return name;
  }
  return std::nullopt;
}

class File {
 public:
  static Result<File> read(const std::string& path) {
    File file;
    if (path.empty()) return file;
    std::ifstream in_file(path, std::ios::binary);
    if (!in_file) {
      return Error{ErrorClass::invalid, "bad_config", path + ": it cannot be read"};
    }
    const std::string text{std::istreambuf_iterator<char>(in_file), {}};
    auto entries = parse_config(text);
    if (!entries) {
      return Error{ErrorClass::invalid, "bad_config", path + ":" + entries.error().message};
    }
    file.path_ = path;
    file.entries_ = std::move(*entries);
    return file;
  }

  std::optional<Source> find(const CLI::Option* option) const {
    for (const ConfigEntry& entry : entries_) {
      if (entry.name == name_of(option)) return Source{entry.values, where(entry)};
    }
    return std::nullopt;
  }

  Status check_names(const std::vector<const CLI::Option*>& known) const {
    for (const ConfigEntry& entry : entries_) {
      const auto found = std::find_if(known.begin(), known.end(), [&](const auto* option) {
        return name_of(option) == entry.name;
      });
      if (found == known.end()) return in(where(entry), "there is no setting " + entry.name);
      if (!is_list(*found) && entry.values.size() != 1) {
        return in(where(entry), entry.name + " takes one value");
      }
    }
    return ok_status();
  }

 private:
  std::string where(const ConfigEntry& entry) const {
    return path_ + ":" + std::to_string(entry.line);
  }

  std::string path_;
  std::vector<ConfigEntry> entries_;
};

std::string shown(const std::string& name, const Values& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  if (name != "database-url") return text;
  storage::PgTarget target;
  target.url = text;
  return target.describe();
}

std::string shown(const CLI::Option* option, const std::string& fallback) {
  if (!option->get_default_str().empty()) return option->get_default_str();
  return is_flag(option) ? "false" : fallback;
}

}  // namespace

Result<std::vector<Setting>> complete_settings(const CLI::App& command,
                                               const std::string& config_file,
                                               ServeOptions& options) {
  const auto known = settings_of(command);
  auto file = File::read(config_file.empty() ? environment("WEFT_CONFIG") : config_file);
  if (!file) return file.error();
  if (Status checked = file->check_names(known); !checked) return checked.error();

  const auto any_where = [&](auto&& has) {
    return std::any_of(known.begin(), known.end(), [&](const auto* option) {
      return says_where(name_of(option)) && has(option);
    });
  };
  const bool where_by_flag = any_where([](const auto* option) { return option->count() > 0; });
  const bool where_by_variable =
      any_where([](const auto* option) { return from_environment(option).has_value(); });
  const bool where_by_older = !where_by_variable && older_variable().has_value();

  std::vector<Setting> settings;
  for (const CLI::Option* option : known) {
    const std::string& name = name_of(option);
    if (option->count() > 0) {
      const Values given = is_flag(option) ? Values{"true"} : option->results();
      settings.push_back({name, shown(name, given), "flag"});
      continue;
    }
    std::optional<Source> source;
    if (!says_where(name)) {
      source = from_environment(option);
      if (!source) source = file->find(option);
    } else if (!where_by_flag) {
      source = from_environment(option);
      if (!where_by_variable && !where_by_older) source = file->find(option);
    }
    if (source) {
      if (Status applied = apply(name, *source, options); !applied) return applied.error();
      settings.push_back({name, shown(name, source->values), source->where});
    } else if (name == "database-url" && !where_by_flag && where_by_older) {
      settings.push_back({name, "", *older_variable()});
    } else {
      settings.push_back({name, shown(option, ""), "default"});
    }
  }
  return settings;
}

std::vector<std::string> unknown_variables() {
  ServeOptions options;
  CLI::App app;
  add_serve_options(app, options);
  std::vector<std::string> known = {"WEFT_CONFIG"};
  for (const CLI::Option* option : settings_of(app)) known.push_back(variable_of(name_of(option)));
  std::vector<std::string> unknown;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string name(text.substr(0, text.find('=')));
    if (!name.starts_with("WEFT_") || environment(name).empty()) continue;
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown.push_back(name);
  }
  std::sort(unknown.begin(), unknown.end());
  return unknown;
}

std::string default_config() {
  ServeOptions options;
  CLI::App app;
  add_serve_options(app, options);
  std::string text =
      "# Settings of weft serve, for --config FILE or WEFT_CONFIG. What stands here is the "
      "default.\n"
      "# A flag (--listen) beats the environment (WEFT_LISTEN), the environment beats this file.\n"
      "# Passwords do not belong here: PostgreSQL's goes into the environment or a pgpass file.\n";
  for (const CLI::Option* option : settings_of(app)) {
    const std::string value = shown(option, "");
    text += "\n# " + option->get_description() + ".\n#" + name_of(option) + " = ";
    text += is_flag(option) ? value : '"' + value + '"';
    text += '\n';
  }
  return text;
}

}  // namespace weft::app

#include "app/serve_arguments.h"

#include <map>

#include "app/duration.h"
#include "app/store_arguments.h"

namespace weft::app {
namespace {

const std::map<std::string, LogLevel> log_levels = {{"debug", LogLevel::debug},
                                                    {"info", LogLevel::info},
                                                    {"warning", LogLevel::warning},
                                                    {"error", LogLevel::error}};

const std::map<std::string, BusKind> buses = {{"auto", BusKind::automatic},
                                              {"none", BusKind::none},
                                              {"notify", BusKind::notify},
                                              {"sns", BusKind::sns},
                                              {"sns-https", BusKind::sns_https}};

const std::map<std::string, LogFormat> log_formats = {{"human", LogFormat::human},
                                                      {"json", LogFormat::json}};

CLI::Option* add_duration(CLI::App& command, const std::string& name, std::int64_t& target_ms,
                          std::int64_t least_ms, const std::string& description) {
  return command
      .add_option_function<std::string>(
          name,
          [name, least_ms, &target_ms](const std::string& text) {
            const auto duration = duration_ms(text);
            if (!duration || *duration < least_ms) {
              throw CLI::ValidationError(name, "a whole number and s, m, h or d, at least " +
                                                   std::to_string(least_ms / 1000) + "s: " + text);
            }
            target_ms = *duration;
          },
          description)
      ->type_name("DURATION");
}

/// One of some words. Not CLI11's transformer: the option's result stays the word.
template <class T>
CLI::Option* add_choice(CLI::App& command, const std::string& name, T& target,
                        const std::map<std::string, T>& choices, const std::string& description) {
  return command
      .add_option_function<std::string>(
          name, [&target, &choices](const std::string& word) { target = choices.at(word); },
          description)
      ->check(CLI::IsMember(&choices, CLI::ignore_case).description(""));
}

void add_access_options(CLI::App& command, AccessOptions& options) {
  command
      .add_option("--key", options.keys,
                  "Let in only who has a token that this key has signed; several for rotation, the "
                  "first that can sign mints (default: everybody may do everything)")
      ->type_name("FILE");
  command.add_option("--issuer", options.issuer, "Tokens must be from this issuer (iss)")
      ->type_name("NAME");
  command.add_option("--audience", options.audience, "Tokens must be for this audience (aud)")
      ->type_name("NAME");
  command
      .add_option("--origin", options.origins,
                  "Pages of this origin may use the server too, such as https://app.example.org")
      ->type_name("ORIGIN");
  command.add_flag("--behind-proxy", options.behind_proxy,
                   "A proxy in front does TLS: other addresses than loopback may be listened on");
  command
      .add_option("--tls-certificate", options.tls.certificate,
                  "Speak TLS with this certificate (PEM, with those between it and its authority); "
                  "read anew when it is renewed (default: HTTP in the clear)")
      ->type_name("FILE");
  command.add_option("--tls-key", options.tls.key, "The certificate's private key (PEM)")
      ->type_name("FILE");
  command
      .add_option("--trusted-proxy", options.trusted_proxies,
                  "Believe X-Forwarded-For from this address or network, such as 10.0.0.0/8")
      ->type_name("NETWORK");
}

}  // namespace

void add_serve_options(CLI::App& command, ServeOptions& options) {
  add_store_options(command, options.store);
  command
      .add_option(
          "--listen", options.listen,
          "Address to serve on; port 0 takes any free one. Others than loopback take --key, "
          "and --tls-certificate or --behind-proxy")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  add_access_options(command, options.access);
  command
      .add_option("--replica-id", options.replication.replica_id,
                  "This server's name among those that share a PostgreSQL database (default: "
                  "$REPLICA_ID, or the host's name and the port)")
      ->type_name("NAME");
  command
      .add_option(
          "--ssn-id", options.replication.ssn_id,
          "The session number (epoch) that new documents begin with, the same on all servers "
          "of a database (default: $SSN_ID, or 1)")
      ->type_name("N");
  add_choice(command, "--bus", options.replication.bus, buses,
             "How servers that share a database wake each other. notify: by PostgreSQL's NOTIFY; "
             "sns: by Amazon SNS and SQS, $SNS_TOPIC; sns-https: SNS calls on this server at "
             "$SNS_ENDPOINT; none: each asks the database now and then; auto: one of sns where "
             "SNS_TOPIC is set, else notify where there is PostgreSQL")
      ->type_name("BUS")
      ->default_str("auto");
  command.add_option("--threads", options.threads, "Event loops (default: one for each core)")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  command
      .add_option(
          "--web", options.page_directory,
          "Serve the page from this directory, for working on it (default: the built-in one)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  add_duration(command, "--purge-after", options.purge_after_ms, 1'000,
               "Purge tombstones of characters that were deleted longer ago, such as 30d "
               "(default: never); at least 1s. Edits made offline for longer are rebased when they "
               "come");
  add_duration(command, "--drain-delay", options.drain_delay_ms, 0,
               "After SIGTERM, how long to go on serving while /readyz answers 503, so that load "
               "balancers notice")
      ->default_str("0s");
  add_duration(command, "--drain-timeout", options.drain_timeout_ms, 1'000,
               "After that, how long to wait for clients that do not hang up")
      ->default_str("5s");
  add_choice(command, "--log-level", options.log_level, log_levels, "debug, info, warning or error")
      ->type_name("LEVEL")
      ->default_str("info");
  add_choice(command, "--log-format", options.log_format, log_formats,
             "human: lines for people; json: an object on each line")
      ->type_name("FORMAT")
      ->default_str("human");
  command.add_flag("--access-log", options.access_log,
                   "Log each request at level info (default: at debug)");
}

CLI::Option* add_config_option(CLI::App& command, std::string& file) {
  return command
      .add_option("--config", file,
                  "Read settings from this file (default: $WEFT_CONFIG, or none). Flags beat the "
                  "environment, the environment beats the file")
      ->type_name("FILE");
}

}  // namespace weft::app

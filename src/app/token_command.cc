#include "app/token_command.h"

#include <utility>
#include <vector>

#include "app/duration.h"

namespace weft::app {
namespace {

constexpr const char* footer =
    R"(weft token --key FILE [--issuer ISSUER] [--audience AUDIENCE] --user USER [OPTION...]
weft token --new-key ALGORITHM --out FILE
weft token --inspect [--key FILE [--issuer ISSUER] [--audience AUDIENCE]] < TOKEN

The first mints a token and prints it on stdout. There are three kinds of tokens.

  A user's token says who somebody is. What they may do with a document, its members say.
      weft token --key FILE --user ada --name 'Ada Lovelace'
  A document's token opens one document, with a role, and no other.
      weft token --key FILE --user ada --document UUID --role editor
  The back end's own token may do everything, and so must not leave it.
      weft token --key FILE --user backend --program --admin --expires 30d

FILE is PEM (RSA from 2048 bits, EC P-256 or Ed25519), a JWK set, or a secret of at least 32 bytes for
HS256. With several, the first that can sign does. A token cannot be changed and ends by itself; one that
has an id can be revoked before, and gets a random id unless --id says another.

Making a key: --new-key eddsa --out FILE. Only you can read FILE, and an existing one is never touched.
A server that is to check tokens and never to make links itself needs only the public half: openssl pkey
-in FILE -pubout. Of hs256 there is only the secret: whoever can check tokens with it can make them.

Looking at a token: --inspect reads it on stdin and prints {"verified", "header", "claims"} as JSON. With
--key it must be signed, in time, and have --issuer and --audience if they are given; otherwise the exit
code is 1. Without --key nothing is checked, and "verified" is false.

docs/ACCESS.md tells all claims, and how to mint tokens without this program.

Exit codes:
  0  done
  1  the token is refused, or a file cannot be read or written, or exists
  2  the command line is wrong, a key file has no usable key, or a claim is out of its range
)";

void set_new_key(TokenOptions& options, const std::string& text) {
  constexpr std::pair<std::string_view, access::Algorithm> algorithms[] = {
      {"hs256", access::Algorithm::hs256},
      {"rs256", access::Algorithm::rs256},
      {"es256", access::Algorithm::es256},
      {"eddsa", access::Algorithm::eddsa}};
  for (const auto& [name, algorithm] : algorithms) {
    if (name != text) continue;
    options.new_key = algorithm;
    return;
  }
  throw CLI::ValidationError("--new-key", "hs256, rs256, es256 or eddsa: " + text);
}

void set_document(access::Claims& claims, const std::string& text) {
  claims.document = Uuid::parse(text);
  if (!claims.document) throw CLI::ValidationError("--document", "not a document's id: " + text);
}

void set_role(access::Claims& claims, const std::string& text) {
  const auto role = access::parse_role(text);
  if (!role) throw CLI::ValidationError("--role", "viewer, commenter, editor or owner: " + text);
  claims.role = *role;
}

void set_lifetime(TokenOptions& options, const std::string& text) {
  const auto duration = duration_ms(text);
  if (!duration || *duration < 1'000) {
    throw CLI::ValidationError("--expires",
                               "a whole number and s, m, h or d, at least 1s: " + text);
  }
  options.lifetime_s = *duration / 1'000;
}

/// What may be said together. Not told to the library, because it would fill the help with it.
struct Rules {
  using Pairs = std::vector<std::pair<CLI::Option*, CLI::Option*>>;
  Pairs needs;
  Pairs excludes;

  void check() const {
    for (const auto& [option, other] : excludes) {
      if (*option && *other) throw CLI::ExcludesError(option->get_name(), other->get_name());
    }
    for (const auto& [option, other] : needs) {
      if (*option && !*other) throw CLI::RequiresError(option->get_name(), other->get_name());
    }
  }
};

/// Options that only minting has. The result is --user, which all the others need.
CLI::Option* add_claims(CLI::App& token, TokenOptions& options, Rules& rules) {
  access::Claims& claims = options.claims;
  CLI::Option* user =
      token.add_option("--user", claims.user, "Who it is for, as the back end knows them")
          ->type_name("USER");
  CLI::Option* name =
      token.add_option("--name", claims.name, "What others see (default: USER)")->type_name("NAME");
  CLI::Option* program = token.add_flag_callback(
      "--program", [&claims] { claims.kind = access::CallerKind::program; },
      "For a script, a bot or an agent; others see it as one");
  CLI::Option* guest = token.add_flag_callback(
      "--guest", [&claims] { claims.kind = access::CallerKind::guest; }, "For whoever has a link");
  CLI::Option* document =
      token
          .add_option_function<std::string>(
              "--document", [&claims](const std::string& text) { set_document(claims, text); },
              "Opens this document and no other")
          ->type_name("UUID");
  CLI::Option* role =
      token
          .add_option_function<std::string>(
              "--role", [&claims](const std::string& text) { set_role(claims, text); },
              "viewer, commenter, editor or owner of it")
          ->type_name("ROLE");
  CLI::Option* admin =
      token.add_flag("--admin", claims.is_admin, "May do everything with every document");
  CLI::Option* expires =
      token
          .add_option_function<std::string>(
              "--expires", [&options](const std::string& text) { set_lifetime(options, text); },
              "How long it counts, such as 90s, 12h or 30d (default: 12h)")
          ->type_name("DURATION");
  CLI::Option* id =
      token.add_option("--id", claims.token_id, "Its id, for revoking it (default: a random one)")
          ->type_name("JTI");
  rules.excludes = {{program, guest}, {admin, document}};
  rules.needs = {{document, role}, {role, document}};
  for (CLI::Option* option : {name, program, guest, document, role, admin, expires, id}) {
    rules.needs.emplace_back(option, user);
    option->group("Minting");
  }
  return user->group("Minting");
}

}  // namespace

CLI::App* add_token_command(CLI::App& app, TokenOptions& options) {
  CLI::App* token = app.add_subcommand("token", "Mint access tokens, make keys for them");
  CLI::Option* keys = token->add_option("--key", options.keys, "Key file; again for more of them")
                          ->type_name("FILE")
                          ->allow_extra_args(false);
  CLI::Option* issuer =
      token->add_option("--issuer", options.issuer, "Who says so: \"iss\"")->type_name("ISSUER");
  CLI::Option* audience =
      token->add_option("--audience", options.audience, "For which service: \"aud\"")
          ->type_name("AUDIENCE");
  Rules rules;
  CLI::Option* user = add_claims(*token, options, rules);
  CLI::Option* new_key =
      token
          ->add_option_function<std::string>(
              "--new-key", [&options](const std::string& text) { set_new_key(options, text); },
              "Make a key: hs256, rs256, es256 or eddsa")
          ->type_name("ALGORITHM")
          ->group("Making a key");
  CLI::Option* out = token->add_option("--out", options.out, "Where to; must not exist")
                         ->type_name("FILE")
                         ->group("Making a key");
  CLI::Option* inspect = token
                             ->add_flag_callback(
                                 "--inspect", [] {}, "Show the token that comes on stdin")
                             ->group("Looking at a token");
  for (const auto& pair :
       Rules::Pairs{{new_key, inspect}, {new_key, user}, {inspect, user}, {new_key, keys}}) {
    rules.excludes.push_back(pair);
  }
  for (const auto& pair : Rules::Pairs{
           {user, keys}, {issuer, keys}, {audience, keys}, {new_key, out}, {out, new_key}}) {
    rules.needs.push_back(pair);
  }
  token->callback([&options, rules, new_key, inspect, user] {
    rules.check();
    if (!*new_key && !*inspect && !*user) {
      throw CLI::RequiredError("--user, --new-key or --inspect");
    }
    if (*new_key) options.job = TokenJob::make_key;
    if (*inspect) options.job = TokenJob::inspect;
  });
  token->footer(footer);
  return token;
}

}  // namespace weft::app

// SPDX-License-Identifier: Apache-2.0
#include "admin/run.hpp"

#include "admin/address.hpp"
#include "admin/help.hpp"
#include "admin/manual.hpp"
#include "admin/session.hpp"
#include "admin/suggest.hpp"
#include "app/process.hpp"

#include <gallery/abi_headers.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace gallery::admin {

namespace {

using words = std::vector<std::string_view>;

int print(const std::string& text, bool asked) {
    std::fwrite(text.data(), 1, text.size(), asked ? stdout : stderr);
    return static_cast<int>(asked ? exit_code::done : exit_code::usage);
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

bool is_help(std::string_view text) {
    return text == "--help" || text == "-h";
}

/// Takes common options that stand in front of the command to its end.
void move_options_back(words& all) {
    words options;
    std::size_t i = 0;
    while (i < all.size() && all[i].starts_with("--")) {
        const auto name = all[i].substr(0, all[i].find('='));
        const auto* const known = std::find_if(common_options.begin(), common_options.end(),
                                               [name](const option& one) { return one.name == name; });
        if (known == common_options.end()) break;
        options.push_back(all[i++]);
        const bool apart = !known->value.empty() && name.size() == options.back().size();
        if (apart && i < all.size()) options.push_back(all[i++]);
    }
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i));
    all.insert(all.end(), options.begin(), options.end());
}

failure unknown(const std::string& what, std::string_view typed, const words& known,
                const std::string& help) {
    const auto near = nearest(typed, known);
    auto message = "'" + std::string(typed.substr(0, 80)) + "' is not " + what;
    message += near.empty() ? ". " : "; did you mean " + std::string(near) + "? ";
    return usage(message + help + " lists the valid ones");
}

/// The command that the first words name; @p used of them.
outcome<const command*> select(const program& of, const words& all, std::size_t& used) {
    words groups, verbs;
    for (const auto* one : of.commands()) {
        if (std::find(groups.begin(), groups.end(), group_of(*one)) == groups.end())
            groups.push_back(group_of(*one));
        if (group_of(*one) != all[0]) continue;
        used = 1;
        if (verb_of(*one).empty()) return one;
        verbs.push_back(verb_of(*one));
        used = 2;
        if (all.size() > 1 && verb_of(*one) == all[1]) return one;
    }
    if (verbs.empty()) return unknown("a command", all[0], groups, std::string(of.name) + " --help");
    const auto group = std::string(all[0]);
    return unknown("a command of " + group, all[1], verbs, std::string(of.name) + " " + group + " --help");
}

outcome<http_client> client_of(const arguments& given) {
    http_client out;
    const auto option = given.value("--url");
    auto url = option.value_or(environment("GALLERY_URL"));
    if (url.empty()) url = "http://127.0.0.1:8080";
    auto where = parse_address(url);
    if (!where) {
        return failure{option ? exit_code::usage : exit_code::configuration,
                       (option ? "--url: " : "GALLERY_URL: ") + where.error().message};
    }
    out.where = std::move(*where);
    out.ca_file = given.value("--ca").value_or(environment("GALLERY_CA"));
    if (const auto text = given.value("--timeout")) {
        constexpr std::size_t most = 86'400;
        const auto seconds = whole_number(*text, 1, most);
        if (!seconds) return usage("the value of --timeout must be a number of seconds from 1 to 86400");
        out.timeout = std::chrono::seconds(*seconds);
    }
    return out;
}

/// A name on the command line takes precedence over the environment.
credentials credentials_of(const arguments& given) {
    credentials out;
    out.password_from_stdin = given.has("--login-password-stdin");
    if (!given.has("--login") && !out.password_from_stdin) out.api_key = environment("GALLERY_API_KEY");
    if (!out.api_key.empty()) return out;
    out.user = given.value("--login").value_or(environment("GALLERY_USER"));
    if (!out.password_from_stdin) out.password = environment("GALLERY_PASSWORD");
    return out;
}

int execute(const program& of, const command& what, const arguments& given) {
    const auto name = std::string(of.name) + " " + std::string(what.words);
    const printer out(given.has("--json"));
    auto http = client_of(given);
    if (!http) return out.end(name, http.error());
    if (!http->where.tls && !http->where.is_this_machine()) {
        out.note("warning: " + http->where.text +
                 " is not encrypted; passwords and keys can be read in transit");
    }
    server_api server(std::move(*http), credentials_of(given));
    session with{what, given, server, out};
    auto done = what.run(with);
    if (done) done = printer::finish();
    return done ? static_cast<int>(exit_code::done) : out.end(name, done.error());
}

}  // namespace

int run(std::span<const char* const> arguments, const program& of) {
    for (const auto* one : of.commands()) {
        if (one->alone != nullptr && !arguments.empty() && arguments[0] == one->words)
            return one->alone(arguments.subspan(1));
    }
    // No core dump contains a password; a closed output is a write error.
    const auto mask = ::umask(0);
    (void)app::prepare_process();
    // Exported files have the modes that the user's other files have.
    ::umask(mask);
    words all(arguments.begin(), arguments.end());
    move_options_back(all);
    bool asked = false;
    if (!all.empty() && all[0] == "help") {
        asked = true;
        all.erase(all.begin());
    }
    const printer plain(std::find(all.begin(), all.end(), "--json") != all.end());
    if (all.empty()) return print(general_help(of), asked);
    if (is_help(all[0])) return print(general_help(of), true);
    if (all[0] == "--manual") return print(manual(of), true);
    if (all[0] == "--completion") return print(completion(of), true);
    if (all[0] == "--version") return print(std::string(of.name) + " " GALLERY_VERSION "\n", true);
    const bool group = std::any_of(of.commands().begin(), of.commands().end(), [&](const command* one) {
        return group_of(*one) == all[0] && !verb_of(*one).empty();
    });
    if (group && (all.size() == 1 || all[1].starts_with('-'))) {
        return print(group_help(all[0], of), asked || std::any_of(all.begin(), all.end(), is_help));
    }
    std::size_t used = 0;
    const auto what = select(of, all, used);
    if (!what) return plain.end(std::string(of.name), what.error());
    if ((*what)->alone != nullptr) {
        static constexpr std::array<const char*, 1> only_help{"--help"};
        if (asked) return (*what)->alone(only_help);
        return plain.end(std::string(of.name),
                         usage(std::string((*what)->words) +
                               " must be the first argument, and only its own options may follow"));
    }
    if (asked) return print(command_help(**what, of), true);
    const auto given = parse_arguments(**what, std::span(all).subspan(used), of);
    if (!given) return plain.end(std::string(of.name), given.error());
    if (given->has("--help")) return print(command_help(**what, of), true);
    return execute(of, **what, *given);
}

}  // namespace gallery::admin

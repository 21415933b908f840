// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include "app/manual_page.hpp"
#include "config/load.hpp"

#include <gallery/abi_headers.hpp>

#include <algorithm>
#include <array>

namespace gallery::app {

namespace {

using action = command_line::action;

constexpr std::string_view summary =
    "An image gallery server for many tenants that implements ThingsBoard's image API.";

struct option {
    std::string_view name;
    std::string_view value;  ///< what help calls its value; empty for one without
    std::string_view help;   ///< lines; empty: for the build and the packages, not in help
    action what = action::serve;
    bool is_last = false;  ///< what follows is not read
};

constexpr std::string_view config_option = "--config";
constexpr std::string_view demo_option = "--demo";

/// Parsing, help, the manual page and the shell completion are made from this table.
constexpr std::array<option, 8> options{{
    {config_option, "FILE",
     "configuration file; default: etc/gallery.yml beside the build,\n"
     "else /etc/gallery/gallery.yml, else the built-in defaults"},
    {demo_option, "",
     "create a demo tenant with an administrator, a customer user and\n"
     "sample images, if they do not exist"},
    {"--check-config", "",
     "print the values in use, with secrets masked; check them, the\n"
     "options of the storage engine, TLS files and folders; exit",
     action::check_config},
    {"--version", "", "print the version and exit", action::version, true},
    {"--help", "", "print this text and exit", action::help, true},
    {"--manual", "", "", action::manual, true},
    {"--configuration-manual", "", "", action::configuration_manual, true},
    {"--completion", "", "", action::completion, true},
}};

constexpr std::string_view configuration_text =
    R"(Every value of the configuration can be set by an environment variable
(HTTP_BIND_PORT, STORAGE_PLUGIN, ...). gallery.yml describes all of them.
)";

struct row {
    std::string_view left, right;
};

constexpr std::array<row, 2> signals{{
    {"TERM, INT", "stop after in-flight requests, a second one immediately"},
    {"HUP", "reload the configuration file and the TLS certificate"},
}};

constexpr std::array<row, 5> exit_codes{{
    {"0", "stopped as requested"},
    {"64", "wrong options"},
    {"69", "the store or an address cannot be used"},
    {"70", "a fault of the server"},
    {"78", "wrong configuration"},
}};

std::string term(const option& one) {
    return std::string(one.name) + (one.value.empty() ? "" : " " + std::string(one.value));
}

/// The lines of @p right beside @p left, in columns.
std::string aligned(std::string_view left, std::string_view right, std::size_t width) {
    std::string out = "  " + std::string(left) + std::string(width - left.size() + 2, ' ');
    for (const char c : right) {
        out += c;
        if (c == '\n') out += std::string(width + 4, ' ');
    }
    return out + '\n';
}

template <class Rows>
std::string table(const Rows& rows) {
    std::size_t width = 0;
    for (const auto& one : rows)
        width = std::max(width, one.left.size());
    std::string out;
    for (const auto& one : rows)
        out += aligned(one.left, one.right, width);
    return out;
}

std::string options_table() {
    std::size_t width = 0;
    for (const auto& one : options)
        if (!one.help.empty()) width = std::max(width, term(one).size());
    std::string out;
    for (const auto& one : options)
        if (!one.help.empty()) out += aligned(term(one), one.help, width);
    return out;
}

const option* find(std::string_view name) {
    const auto* const found =
        std::find_if(options.begin(), options.end(), [name](const option& o) { return o.name == name; });
    return found == options.end() ? nullptr : &*found;
}

}  // namespace

result<command_line> parse_command_line(std::span<const char* const> arguments) {
    command_line parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        const auto equals = word.find('=');
        const auto* const known = find(word == "-h" ? "--help" : word.substr(0, equals));
        const bool takes_value = known != nullptr && !known->value.empty();
        if (known == nullptr || (equals != std::string_view::npos && !takes_value)) {
            return error{errc::invalid_argument,
                         "'" + std::string(word) + "' is not an option. --help lists the options."};
        }
        if (known->is_last) {
            parsed.what = known->what;
            return parsed;
        }
        if (known->what != action::serve) parsed.what = known->what;
        if (known->name == demo_option) parsed.demo = true;
        if (!takes_value) continue;
        parsed.config_file.clear();
        if (equals != std::string_view::npos) {
            parsed.config_file = word.substr(equals + 1);
        } else if (i + 1 < arguments.size()) {
            parsed.config_file = arguments[++i];
        }
        if (parsed.config_file.empty()) {
            return error{errc::invalid_argument, "--config requires the path of a file: --config FILE"};
        }
    }
    return parsed;
}

std::string usage() {
    return "usage: gallery-server [--config FILE] [--demo] [--check-config]\n\n" + std::string(summary) +
           "\n\n" + options_table() + "\n" + std::string(configuration_text) + "\nsignals:\n" +
           table(signals) + "\nexit codes:\n" + table(exit_codes);
}

std::string manual() {
    manual_page page("gallery-server", 8, "image gallery server");
    page.section("synopsis");
    page.lines("gallery-server [--config FILE] [--demo] [--check-config]");
    page.section("description");
    page.paragraph(summary);
    page.paragraph(configuration_text);
    page.section("options");
    for (const auto& one : options)
        if (!one.help.empty()) page.entry(term(one), one.help);
    page.section("signals");
    for (const auto& one : signals)
        page.entry(one.left, one.right);
    page.section("exit status");
    for (const auto& one : exit_codes)
        page.entry(one.left, one.right);
    page.section("see also");
    page.paragraph("gallery.yml(5), gallery-admin(1)");
    return page.text();
}

std::string configuration_manual() {
    manual_page page("gallery.yml", 5, "configuration of the image gallery server");
    page.section("description");
    page.paragraph("This is the complete file with all defaults.");
    page.lines(config::default_document());
    page.section("see also");
    page.paragraph("gallery-server(8)");
    return page.text();
}

std::string completion() {
    std::string names;
    for (const auto& one : options)
        if (!one.help.empty()) names += (names.empty() ? "" : " ") + std::string(one.name);
    return R"(# bash completion for gallery-server. Generated by gallery-server --completion.
_gallery_server() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [[ $before == --config ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W ")" +
           names + R"(" -- "$word")
}
complete -F _gallery_server gallery-server
)";
}

std::string version_text() {
    return "gallery-server " GALLERY_VERSION;
}

}  // namespace gallery::app

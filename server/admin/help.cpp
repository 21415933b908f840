// SPDX-License-Identifier: Apache-2.0
#include "admin/help.hpp"

#include "admin/commands.hpp"
#include "admin/failure.hpp"

#include <algorithm>
#include <cstdio>
#include <span>
#include <vector>

namespace gallery::admin {

namespace {

constexpr std::string_view exit_codes = R"(
exit codes:
   0  done
   1  refused by the server: the name is taken, a value is wrong, or another user
      changed the entry
   3  no such tenant, user, customer, key, image or file, or several with that name
  64  wrong command line, or not confirmed; nothing was changed
  69  no server answers at the URL, its certificate is not trusted, or the connection
      was lost; a change may have been made
  70  a fault of the server, see its log; a change may have been made
  74  done, but the report could not be printed
  75  too many attempts, or the server is busy; try again later
  77  wrong credentials, or not permitted
  78  no credentials, or a wrong value in the environment
)";

constexpr std::string_view credentials_text = R"(
credentials (never arguments, because every user of the machine can read those):
  GALLERY_API_KEY                   an API key
  GALLERY_USER, GALLERY_PASSWORD    a user's e-mail address and password; without
                                    GALLERY_PASSWORD it is read from the terminal
)";

constexpr program gallery_admin{"gallery-admin",
                                "manage accounts and images of a gallery server",
                                "Manages the accounts and images of a running gallery server.",
                                all_commands,
                                credentials_text,
                                exit_codes,
                                "export GALLERY_USER=sysadmin@gallery.local\n"
                                "gallery-admin tenant create 'Acme Water'\n"
                                "gallery-admin user create admin@acme.example --tenant 'Acme Water'",
                                "gallery-server(8), gallery.yml(5), gallery-load(1)"};

struct row {
    std::string left;
    std::string_view right;
};

std::string aligned(const std::vector<row>& rows) {
    std::size_t widest = 0;
    for (const auto& one : rows)
        widest = std::max(widest, one.left.size());
    std::string out;
    for (const auto& one : rows) {
        out +=
            "  " + one.left + std::string(widest - one.left.size() + 2, ' ') + std::string(one.right) + '\n';
    }
    return out;
}

template <class Table>
std::string options_text(std::string_view heading, const Table& table) {
    std::vector<row> rows;
    for (const option& one : table)
        rows.push_back({term_of(one), one.help});
    return "\n" + std::string(heading) + ":\n" + aligned(rows);
}

std::string indented(std::string_view lines) {
    std::string out = "  ";
    for (const char c : lines) {
        out += c;
        if (c == '\n') out += "  ";
    }
    return out + '\n';
}

}  // namespace

const program& admin_program() noexcept {
    return gallery_admin;
}

std::string general_help(const program& of) {
    std::vector<row> rows;
    for (const auto* one : of.commands())
        rows.push_back({term_of(*one), one->summary});
    const std::string name(of.name);
    return "usage: " + name + " COMMAND [OPTIONS]\n\n" + std::string(of.purpose) + "\n\ncommands:\n" +
           aligned(rows) + options_text("options of all commands" + except_alone(of), common_options) +
           std::string(of.credentials) + std::string(of.exit_codes) + "\nexample:\n" + indented(of.example) +
           "\n" + name + " COMMAND --help describes one command. " + name +
           " --version prints\nthe version.\n";
}

std::string group_help(std::string_view group, const program& of) {
    std::vector<row> rows;
    std::string examples;
    for (const auto* one : of.commands()) {
        if (group_of(*one) != group) continue;
        rows.push_back({term_of(*one), one->summary});
        if (examples.empty()) examples = one->example;
    }
    const auto program_name = std::string(of.name);
    const auto name = program_name + " " + std::string(group);
    return "usage: " + name + " COMMAND [OPTIONS]\n\ncommands:\n" + aligned(rows) +
           options_text("options of all commands", common_options) + "\nexample:\n" + indented(examples) +
           "\n" + name + " COMMAND --help describes one command. " + program_name +
           " --help\n"
           "describes credentials and exit codes.\n";
}

std::string command_help(const command& what, const program& of) {
    auto out = "usage: " + std::string(of.name) + " " + std::string(what.words);
    if (!what.operands.empty()) out += " " + std::string(what.operands);
    out += " [OPTIONS]\n\nPurpose: " + std::string(what.summary) + ".\n";
    if (!what.text.empty()) out += std::string(what.text) + '\n';
    if (!what.options.empty()) out += options_text("options", what.options);
    if (what.alone == nullptr) {
        out += options_text("common options", common_options);
        out += of.credentials;
        out += of.exit_codes;
    } else {
        out += what.exit_codes;
    }
    return out + "\nexample:\n" + indented(what.example);
}

std::string command_help(std::string_view words) {
    const auto& all = all_commands();
    return command_help(
        **std::find_if(all.begin(), all.end(), [words](const auto* one) { return one->words == words; }));
}

int print_help(std::string_view words) {
    const auto help = command_help(words);
    std::fwrite(help.data(), 1, help.size(), stdout);
    return static_cast<int>(exit_code::done);
}

std::string except_alone(const program& of) {
    std::vector<std::string_view> names;
    for (const auto* one : of.commands())
        if (one->alone != nullptr) names.push_back(one->words);
    std::string out;
    for (const auto& one : names) {
        const bool last = &one == &names.back();
        out += (out.empty() ? " except " : last ? " and " : ", ") + std::string(one);
    }
    return out;
}

std::string term_of(const option& one) {
    return std::string(one.name) + (one.value.empty() ? "" : " " + std::string(one.value));
}

std::string term_of(const command& one) {
    return std::string(one.words) + (one.operands.empty() ? "" : " " + std::string(one.operands));
}

}  // namespace gallery::admin

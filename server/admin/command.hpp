// SPDX-License-Identifier: Apache-2.0
/// What a command is. Each resource's file has a table of its commands; commands.cpp has all tables. Help,
/// parsing and suggestions are made from the tables, so a new command is one entry and one function.
#pragma once

#include "admin/failure.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace gallery::admin {

class session;

struct option {
    std::string_view name;        ///< with both hyphens
    std::string_view value;       ///< what help calls its value; empty for one without
    std::string_view help;        ///< one line
    std::string_view field = {};  ///< the member of the resource's JSON that it sets, if it just does that
    bool repeats = false;         ///< it may be given several times; the values are then joined by a newline
};

struct command {
    std::string_view words;  ///< "tenant create"; one word where there is no resource
    std::string_view
        operands;  ///< "TITLE", "USER [NAME]": those in brackets may be left out; "FILE...": at least one
    std::string_view summary;  ///< one line
    std::string_view text;     ///< more, lines of at most 80 columns; may be empty
    std::string_view example;  ///< lines for the shell
    std::span<const option> options;
    outcome<> (*run)(session&);
    /// Instead of run, for what asks no server: takes the arguments after its word and has options of its
    /// own.
    int (*alone)(std::span<const char* const>) = nullptr;
    /// Of such a command, lines as in its help.
    std::string_view exit_codes = {};
};

/// A program of such commands. Its help, its manual page, its completion and its start are made from this.
struct program {
    std::string_view name;     ///< "gallery-admin"
    std::string_view summary;  ///< one line for lists of manual pages
    std::string_view purpose;  ///< a sentence
    const std::vector<const command*>& (*commands)();
    std::string_view credentials;  ///< where they come from; lines, after a heading
    std::string_view exit_codes;   ///< likewise
    std::string_view example;      ///< lines for the shell
    std::string_view see_also;     ///< other manual pages
};

/// The first word.
constexpr std::string_view group_of(const command& one) noexcept {
    return one.words.substr(0, one.words.find(' '));
}

/// The second word; empty where there is none.
constexpr std::string_view verb_of(const command& one) noexcept {
    const auto space = one.words.find(' ');
    return space == std::string_view::npos ? std::string_view() : one.words.substr(space + 1);
}

template <std::size_t A, std::size_t B>
constexpr std::array<option, A + B> join(const std::array<option, A>& a, const std::array<option, B>& b) {
    std::array<option, A + B> out{};
    for (std::size_t i = 0; i < A; ++i)
        out[i] = a[i];
    for (std::size_t i = 0; i < B; ++i)
        out[A + i] = b[i];
    return out;
}

/// Those that each command has besides its own.
inline constexpr std::array<option, 7> common_options{{
    {"--url", "URL", "server address; else GALLERY_URL, else http://127.0.0.1:8080"},
    {"--login", "EMAIL", "user to log in as; else GALLERY_API_KEY, else GALLERY_USER"},
    {"--login-password-stdin", "", "read the login's password from the next line of standard input"},
    {"--ca", "FILE", "trusted certificates, PEM; else GALLERY_CA, else the system's"},
    {"--timeout", "SECONDS", "longest wait for a response; default: 60"},
    {"--json", "", "print JSON, for programs"},
    {"--help", "", "print this text"},
}};

/// Those of lists.
inline constexpr std::array<option, 1> list_options{{
    {"--search", "TEXT", "list only entries with this text in their name"},
}};

/// Those of deletions.
inline constexpr std::array<option, 1> delete_options{{
    {"--yes", "", "do not ask for confirmation; required without a terminal"},
}};

/// Those that take a new password, in whichever way.
inline constexpr std::array<option, 2> password_options{{
    {"--password-stdin", "", "read the new password from the next line of standard input"},
    {"--generate-password", "", "generate a password and print it once"},
}};

/// How a tenant or a customer is reached.
inline constexpr std::array<option, 8> contact_options{{
    {"--email", "EMAIL", "e-mail address", "email"},
    {"--phone", "PHONE", "phone number", "phone"},
    {"--country", "TEXT", "country", "country"},
    {"--state", "TEXT", "state or province", "state"},
    {"--city", "TEXT", "city", "city"},
    {"--address", "TEXT", "address", "address"},
    {"--address2", "TEXT", "second line of the address", "address2"},
    {"--zip", "TEXT", "postal code", "zip"},
}};

}  // namespace gallery::admin

// SPDX-License-Identifier: Apache-2.0
#include "app/manual_page.hpp"

#include <gallery/abi_headers.hpp>

#include <algorithm>
#include <cctype>

namespace gallery::app {

namespace {

/// A line that begins with a period or an apostrophe would be a command. Hyphens and quotes would be printed
/// as other characters, which cannot be copied to a shell.
std::string roff_text(std::string_view text) {
    std::string out;
    bool at_begin = true;
    for (const char c : text) {
        if (at_begin && (c == '.' || c == '\'')) out += "\\&";
        at_begin = c == '\n';
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if (c == '\'') {
            out += "\\(aq";
        } else if (c == '`') {
            out += "\\(ga";
        } else if (c == '^') {
            out += "\\(ha";
        } else if (c == '~') {
            out += "\\(ti";
        } else {
            out += c;
        }
    }
    while (out.ends_with('\n'))
        out.pop_back();
    return out;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

}  // namespace

manual_page::manual_page(std::string_view name, int section, std::string_view summary) {
    text_ = ".TH " + roff_text(upper(name)) + " " + std::to_string(section) +
            " \"\" \"gallery " GALLERY_VERSION "\" \"Image gallery server\"\n.nh\n.ad l\n";
    heading("SH", "NAME");
    text_ += roff_text(name) + " \\- " + roff_text(summary) + "\n";
}

void manual_page::heading(std::string_view macro, std::string_view words) {
    text_ += "." + std::string(macro) + " \"" + roff_text(words) + "\"\n";
}

void manual_page::section(std::string_view words) {
    heading("SH", upper(words));
}

void manual_page::subsection(std::string_view words) {
    heading("SS", words);
}

void manual_page::paragraph(std::string_view text) {
    text_ += ".PP\n" + roff_text(text) + "\n";
}

void manual_page::entry(std::string_view term, std::string_view text) {
    text_ += ".TP\n\\fB" + roff_text(term) + "\\fR\n" + roff_text(text) + "\n";
}

void manual_page::lines(std::string_view text) {
    text_ += ".PP\n.nf\n.RS 4\n" + roff_text(text) + "\n.RE\n.fi\n";
}

}  // namespace gallery::app

// SPDX-License-Identifier: Apache-2.0
/// Writes a manual page in the language of man(7). Pure.
#pragma once

#include <string>
#include <string_view>

namespace gallery::app {

/// The text is plain: it is escaped here. The page contains the project's version, but not the day of the
/// build, so that equal sources make equal pages.
class manual_page {
public:
    /// @p name and @p summary as `man -k` lists them; @p section as in "gallery-server(8)".
    manual_page(std::string_view name, int section, std::string_view summary);

    void section(std::string_view heading);
    void subsection(std::string_view heading);
    void paragraph(std::string_view text);
    /// A term, such as an option, and its explanation, indented.
    void entry(std::string_view term, std::string_view text);
    /// Lines that stay as they are.
    void lines(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    void heading(std::string_view macro, std::string_view words);

    std::string text_;
};

}  // namespace gallery::app

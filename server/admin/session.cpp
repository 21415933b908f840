// SPDX-License-Identifier: Apache-2.0
#include "admin/session.hpp"

#include "admin/secrets.hpp"
#include "auth/password.hpp"

#include <utility>

namespace gallery::admin {

failure usage(std::string message) {
    return {exit_code::usage, std::move(message)};
}

std::size_t apply_fields(const session& in, boost::json::object& to) {
    std::size_t count = 0;
    for (const auto& one : in.what.options) {
        if (one.field.empty()) continue;
        if (const auto value = in.given.value(one.name)) {
            to[one.field] = *value;
            ++count;
        }
    }
    return count;
}

boost::json::object entity(std::string_view type, std::string_view id) {
    boost::json::object out;
    out["entityType"] = type;
    out["id"] = id;
    return out;
}

outcome<> consent(const session& in, const std::string& question) {
    if (in.given.has("--yes")) return {};
    if (!is_interactive()) return usage("this cannot be undone; confirm it with --yes");
    if (confirm(printable(question))) return {};
    return usage("nothing was changed");
}

outcome<std::optional<new_password>> choose_password(session& in, ask how) {
    const bool from_stdin = in.given.has("--password-stdin");
    const bool generate = in.given.has("--generate-password");
    if (from_stdin && generate)
        return usage("--password-stdin and --generate-password cannot be used together");
    if (!from_stdin && !generate) {
        if (how == ask::never) return std::optional<new_password>();
        if (!is_interactive())
            return usage(
                "there is no terminal to read the new password from: use --password-stdin or "
                "--generate-password");
    }
    if (auto logged_in = in.server.log_in(); !logged_in) return logged_in.error();
    new_password out;
    if (generate) {
        out.text = auth::generate_password();
        out.generated = true;
        return std::optional(std::move(out));
    }
    auto read =
        from_stdin ? read_secret_line("The new password", "new password") : read_new_secret("new password");
    if (!read) return read.error();
    if (const auto good = auth::check_password_policy(*read); !good) {
        return failure{exit_code::refused, good.error().message};
    }
    out.text = std::move(*read);
    return std::optional(std::move(out));
}

}  // namespace gallery::admin

// SPDX-License-Identifier: Apache-2.0
// gallery-admin whoami, password, logout: the account that is logged in.
#include "admin/commands.hpp"
#include "admin/session.hpp"
#include "admin/user_fields.hpp"

#include <array>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::array<option, 1> logout_options{{
    {"--everywhere", "", "required: end all sessions of the account"},
}};

outcome<> whoami(session& in) {
    auto me = in.server.me();
    if (!me) return me.error();
    in.out.one(*me, user_fields());
    return {};
}

outcome<> change_password(session& in) {
    if (in.server.has_api_key()) {
        return failure{
            exit_code::not_permitted,
            "an API key cannot change the password of its user. Log in with --login EMAIL and the password"};
    }
    auto chosen = choose_password(in, ask::on_terminal);
    if (!chosen) return chosen.error();
    json::object body;
    body["currentPassword"] = in.server.password();
    body["newPassword"] = (*chosen)->text;
    // The response contains tokens of a new session, which are not needed.
    auto done = in.server.post("/api/auth/changePassword", body);
    if (!done) return done.error();
    json::object report;
    if ((*chosen)->generated) report["password"] = (*chosen)->text;
    in.out.done((*chosen)->generated ? "the new password: " + (*chosen)->text : "the password was changed",
                report);
    return {};
}

outcome<> logout(session& in) {
    if (!in.given.has("--everywhere")) {
        return usage(
            "each run of gallery-admin is a session of its own; --everywhere is required to end all others");
    }
    auto done = in.server.post("/api/auth/logout?everywhere=true", json::object());
    if (!done) return done.error();
    in.out.done("all sessions of the account have ended", json::object());
    return {};
}

constexpr std::array<command, 3> commands{{
    {"whoami", "", "show the account that is logged in", "", "gallery-admin whoami", {}, whoami},
    {"password", "", "change your own password",
     "The old password is the one of the login. All other sessions end. If both passwords are\n"
     "read from standard input, the old one comes first. Without an option the new one is read\n"
     "from the terminal.",
     "gallery-admin password --login admin@acme.example\n"
     "printf '%s\\n' \"$OLD\" \"$NEW\" | gallery-admin password --login admin@acme.example \\\n"
     "    --login-password-stdin --password-stdin",
     password_options, change_password},
    {"logout", "", "end all sessions of your own account",
     "Tokens are refused from their next request on. API keys remain valid.",
     "gallery-admin logout --everywhere", logout_options, logout},
}};

}  // namespace

std::span<const command> own_account_commands() {
    return commands;
}

}  // namespace gallery::admin

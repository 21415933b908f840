// SPDX-License-Identifier: Apache-2.0
#include "admin/reset_sysadmin.hpp"

#include "accounts/directory.hpp"
#include "accounts/user_credentials.hpp"
#include "admin/closed_store.hpp"
#include "admin/help.hpp"
#include "admin/output.hpp"
#include "auth/password.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::admin {

namespace {

struct options {
    std::string config_file;
    std::string user;
    bool json = false;
    bool help = false;
};

outcome<options> parse(std::span<const char* const> arguments) {
    options parsed;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        if (word == "--help" || word == "-h") {
            parsed.help = true;
        } else if (word == "--json") {
            parsed.json = true;
        } else if (!take_value(arguments, i, "--config", parsed.config_file) &&
                   !take_value(arguments, i, "--user", parsed.user)) {
            return failure{
                exit_code::usage,
                "'" + std::string(word) + "' is not an option of reset-sysadmin, or its value is missing"};
        }
    }
    return parsed;
}

std::string addresses(const std::vector<accounts::user_ptr>& all) {
    std::string text;
    for (const auto& one : all)
        text += (text.empty() ? "" : ", ") + one->email;
    return text;
}

outcome<accounts::user_ptr> choose(const accounts::directory& accounts, const std::string& wanted,
                                   const std::string& configured) {
    const auto all = accounts.users_with(auth::authority::sys_admin);
    if (all.empty()) {
        return failure{exit_code::not_found,
                       "there is no system administrator; the next start of the server creates one"};
    }
    if (wanted.empty() && all.size() == 1) return all.front();
    const auto found = accounts.find_user_by_email(wanted.empty() ? configured : wanted);
    if (found && found->role == auth::authority::sys_admin) return found;
    if (wanted.empty()) {
        return failure{exit_code::not_found,
                       "there are several system administrators; select one with --user: " + addresses(all)};
    }
    return failure{exit_code::not_found,
                   "'" + wanted + "' is not a system administrator; there are: " + addresses(all)};
}

struct new_password {
    std::string email;
    std::string text;
};

failure not_done(const error& e) {
    return failure{exit_code::unreachable, "nothing was changed: " + e.message};
}

task<outcome<new_password>> reset(document_store& store, std::string wanted, std::string configured) {
    accounts::directory accounts(store);
    if (auto loaded = co_await accounts.load(); !loaded) co_return not_done(loaded.error());
    const auto chosen = choose(accounts, wanted, configured);
    if (!chosen) co_return chosen.error();

    new_password made{(*chosen)->email, auth::generate_password()};
    accounts::directory::edit<accounts::user> change =
        [hash = auth::hash_password(made.text, auth::password_cost()),
         now = accounts.now()](accounts::user& value) -> result<void> {
        value.password_hash = hash;
        value.pending.reset();
        value.enabled = true;
        accounts::end_all_sessions(value, now);
        return {};
    };
    auto changed = co_await accounts.change_user((*chosen)->id, std::move(change));
    if (!changed) co_return not_done(changed.error());
    co_return made;
}

int end(const printer& out, const failure& what) {
    return out.end("gallery-admin reset-sysadmin", what);
}

}  // namespace

int reset_sysadmin(std::span<const char* const> arguments) {
    const auto wanted = parse(arguments);
    if (!wanted) return end(printer(false), wanted.error());
    if (wanted->help) return print_help("reset-sysadmin");
    const printer out(wanted->json);
    asio::io_context context{1};  // outlives the store, whose threads post to it
    auto store = open_closed_store(wanted->config_file);
    if (!store) return end(out, store.error());
    const auto ended = run_on(context, reset(store->opened.store->documents(), wanted->user,
                                             store->settings.security.sysadmin_email));
    if (!ended) return end(out, engine_failed());
    const auto& made = *ended;
    if (!made) return end(out, made.error());

    boost::json::object value;
    value["email"] = made->email;
    value["password"] = made->text;
    out.done(made->email + " has the password " + made->text +
                 " now. It is printed only once. All sessions of the account have ended",
             value);
    if (auto printed = printer::finish(); !printed) {
        return end(out, failure{printed.error().code, printed.error().message + ". Run it again"});
    }
    return static_cast<int>(exit_code::done);
}

}  // namespace gallery::admin

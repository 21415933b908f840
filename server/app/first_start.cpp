// SPDX-License-Identifier: Apache-2.0
// The accounts of a new server. A generated password is printed before its account is stored. If a later
// step fails, the printed password is still valid, or the next start generates another one. If several
// servers start on one store, one at a time creates accounts, and each account requires that it still is
// that server's turn. A server that was stopped for so long that it lost its turn says that what it has
// printed is not valid, and begins again.
#include "app/log.hpp"
#include "app/parts.hpp"
#include "app/wait.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace gallery::app {

namespace {

constexpr const char* of_administrator = "security.sysadmin_password (GALLERY_SYSADMIN_PASSWORD)";
constexpr const char* of_demo = "security.demo_password (GALLERY_DEMO_PASSWORD)";

constexpr const char* generated = " (generated, printed only by this start)";

/// Longer than making three accounts takes on a busy machine.
constexpr std::chrono::seconds first_start_lease{30};
constexpr std::chrono::milliseconds look_again{200};

/// Waits until it is this server's turn, and then knows what the servers before it have made.
task<result<void>> take_turn(lease& turn, accounts::directory& accounts) {
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               io_executor>
        timer(co_await asio::this_coro::executor);
    for (bool said = false;;) {
        const auto ours = co_await turn.acquire();
        if (!ours) co_return ours.error();
        if (*ours) co_return co_await accounts.catch_up();
        if (!said) log_info("waiting for another server to make the first accounts");
        said = true;
        timer.expires_after(look_again);
        co_await timer.async_wait(use_task);
    }
}

std::string named(const std::string& email, auth::authority role) {
    return email + " (" + std::string(auth::name_of(role)) + ")";
}

result<void> show_password(const start_options& options, const std::string& who,
                           const std::string& password) {
    if (!options.show) return error{errc::invalid_argument, "there is no output for a generated password"};
    return options.show("sign in as " + who + " with the password " + password +
                        " (printed only by this start)\n");
}

}  // namespace

result<void> gallery_server::parts::make_administrator(const start_options& options,
                                                       const accounts::directory::requirements& also) {
    const auto& security = settings.security;
    const auto known = accounts_->users_with(auth::authority::sys_admin);
    if (!known.empty()) {
        warn_of_another_password(security.sysadmin_email.c_str(), security.sysadmin_password,
                                 of_administrator);
        return {};
    }
    std::string password = security.sysadmin_password;
    const auto who = named(security.sysadmin_email, auth::authority::sys_admin);
    auto line = who + " with the password of GALLERY_SYSADMIN_PASSWORD";
    if (password.empty()) {
        password = auth::generate_password();
        if (auto shown = show_password(options, who, password); !shown) return shown;
        line = who + " with the password " + password + generated;
    }
    const auto made =
        wait_for(http_->executor(0),
                 accounts::ensure_sysadmin(*accounts_, *passwords_, security.sysadmin_email, password, also));
    if (!made) return made.error();
    report.emplace_back("sign in as", std::move(line));
    made_accounts_ = true;
    return {};
}

result<void> gallery_server::parts::make_demo(const start_options& options,
                                              const accounts::directory::requirements& also) {
    const auto& chosen = settings.security.demo_password;
    const auto password = chosen.empty() ? auth::generate_password() : chosen;
    const std::pair<const char*, auth::authority> both[] = {
        {accounts::demo_tenant_email, auth::authority::tenant_admin},
        {accounts::demo_customer_email, auth::authority::customer_user}};
    start_report lines;
    for (const auto& [email, role] : both) {
        if (accounts_->find_user_by_email(email)) {
            // The customer's user was created with the same password, so one check covers both.
            if (role == auth::authority::tenant_admin) warn_of_another_password(email, chosen, of_demo);
            lines.emplace_back(
                "sign in as", named(email, role) + " with the password that an earlier start set or printed");
        } else if (chosen.empty()) {
            if (auto shown = show_password(options, named(email, role), password); !shown) return shown;
            lines.emplace_back("sign in as",
                               named(email, role) + " with the password " + password + generated);
        } else {
            lines.emplace_back("sign in as",
                               named(email, role) + " with the password of GALLERY_DEMO_PASSWORD");
        }
    }
    const auto accounts =
        wait_for(http_->executor(0), accounts::ensure_demo(*accounts_, *passwords_, password, also));
    if (!accounts) return accounts.error();
    report.insert(report.end(), lines.begin(), lines.end());
    made_accounts_ = made_accounts_ || !accounts->made.empty();
    demo_tenant_ = accounts->tenant;
    fill_demo_ = true;
    return {};
}

void gallery_server::parts::warn_of_another_password(const char* email, const std::string& password,
                                                     const char* setting) {
    if (password.empty()) return;
    const auto account = accounts_->find_user_by_email(email);
    if (account) {
        const auto verdict =
            wait_for(http_->executor(0), passwords_->verify(password, account->password_hash));
        if (verdict && verdict->matches) return;
    }
    log_warning(std::string(setting) + " is set but not used: " +
                (account ? std::string(email) + " already exists and keeps its password"
                         : "there are accounts with this role, but not " + std::string(email)) +
                ". It applies only when the account is created");
}

result<void> gallery_server::parts::make_accounts(const start_options& options,
                                                  const accounts::directory::requirements& also) {
    if (auto done = make_administrator(options, also); !done) return done;
    if (!options.demo) return {};
    return make_demo(options, also);
}

bool gallery_server::parts::lacks_accounts(const start_options& options) const {
    if (accounts_->users_with(auth::authority::sys_admin).empty()) return true;
    return options.demo && (!accounts_->find_user_by_email(accounts::demo_tenant_email) ||
                            !accounts_->find_user_by_email(accounts::demo_customer_email));
}

result<void> gallery_server::parts::make_first_accounts(const start_options& options) {
    // Also of a store of an earlier version. It is created later if the store takes no writes now.
    const auto profile = wait_for(http_->executor(0), accounts_->ensure_default_profile());
    if (!profile) log_warning("the default tenant profile was not created: " + profile.error().message);
    if (sharing_->is_shared() && lacks_accounts(options)) {
        const auto executor = http_->executor(0);
        lease turn(storage_.store->documents(), "first_start", node_id_, first_start_lease);
        for (;;) {
            if (auto taken = wait_for(executor, take_turn(turn, *accounts_)); !taken) return taken;
            const auto made = make_accounts(options, {turn.requirement()});
            const auto renewed = made ? result<bool>(true) : wait_for(executor, turn.renew());
            if (const auto released = wait_for(executor, turn.release()); !released)
                log_warning("the first start could not be handed over: " + released.error().message);
            if (made) break;
            if (!renewed || *renewed) return made;
            log_warning(
                "this server was stopped for so long that another one took over the first start; "
                "passwords that it printed for accounts that it had not made yet are not valid");
        }
    } else if (auto made = make_accounts(options, {}); !made) {
        return made;
    }
    if (!made_accounts_) {
        report.emplace_back("accounts",
                            "unchanged; an earlier start set or printed their passwords. If the "
                            "administrator's password is lost, run gallery-admin reset-sysadmin");
    }
    return {};
}

}  // namespace gallery::app

// Users: /api/user..., /api/users, and the lists of a tenant's administrators and a customer's users.
#include "api/account_access.hpp"
#include "api/account_json.hpp"
#include "api/account_pages.hpp"
#include "api/account_services.hpp"
#include "http/errors.hpp"
#include "http/forwarded.hpp"
#include "http/query.hpp"

#include <string>
#include <utility>

namespace gallery::api {
namespace {

using auth::authority;

error not_found(const uuid& id) {
    return {errc::not_found, "User with id [" + to_string(id) + "] is not found"};
}

using access_rule = bool (*)(const auth::principal&, const auth::user&) noexcept;

struct asked {
    auth::principal_ptr who;
    auth::user_ptr account;
};

/// Who asks, and the user in the path, if the one may do that with the other.
result<asked> user_in_path(const account_services& services, http::request& message, access_rule rule) {
    auto who = require_anybody(services, message);
    if (!who) return who.error();
    const auto id = id_parameter(message, 0, "userId");
    if (!id) return id.error();
    auto account = services.accounts.find_user(user_id{*id});
    if (!account) return not_found(*id);
    if (!rule(**who, *account)) return permission_denied();
    return asked{std::move(*who), std::move(account)};
}

auth::logins::condition letting_in(const asked& what) {
    return [who = what.who](const auth::user& account) { return may_let_in(*who, account); };
}

/// A new user as the administrator may make one. A tenant's administrator makes users of the own tenant only,
/// whatever tenant was sent, as in ThingsBoard.
result<auth::user> new_user(const account_services& services, const auth::principal& who,
                            submitted_user&& sent) {
    auto out = std::move(sent.value);
    const bool of_system = who.role == authority::sys_admin;
    out.owner = !of_system ? who.tenant : (sent.tenant ? tenant_id{*sent.tenant} : system_tenant);
    if (sent.customer) out.customer = customer_id{*sent.customer};
    if (of_system ? out.role == authority::customer_user : out.role == authority::sys_admin) {
        return permission_denied();
    }
    if (auto may = may_give_role(who, out.role); !may) return may.error();
    out.enabled = false;
    out.pending = services.logins.begin_activation();
    out.pending->made_with = who.api_key;
    return out;
}

/// What an update may change: names, phone, additional_info; the email, by who signed in; the role (and with
/// it the customer) only by somebody else who keeps the user, **ours**; never the tenant.
result<void> update_user(const auth::principal& who, const submitted_user& sent, auth::user& value) {
    if (!may_keep(who, value)) return permission_denied();
    if (const auto current = check_version(sent.version, value.version); !current) return current;
    if (sent.tenant && tenant_id{*sent.tenant} != value.owner) {
        return error{errc::invalid_argument, "Can't update user tenant id!"};
    }
    // A client that leaves the customer out does not mean to take the user out of it.
    auto customer = sent.customer ? std::optional(customer_id{*sent.customer}) : value.customer;
    if (sent.value.role != authority::customer_user && !sent.customer) customer.reset();
    if (sent.value.role != value.role || customer != value.customer) {
        if (!may_decide_about(who, value)) return permission_denied();
        if (auto may = may_give_role(who, sent.value.role); !may) return may;
        value.role = sent.value.role;
        value.customer = customer;
        if (!may_decide_about(who, value)) return permission_denied();
        if (value.role == authority::sys_admin && who.role != authority::sys_admin)
            return permission_denied();
    }
    if (sent.value.email != value.email) {
        if (auto may = require_signed_in(who); !may) return may;
        value.email = sent.value.email;
    }
    value.first_name = sent.value.first_name;
    value.last_name = sent.value.last_name;
    value.phone = sent.value.phone;
    value.additional_info = sent.value.additional_info;
    return {};
}

task<result<http::response>> save(const account_services& services, http::request& message) {
    auto who = require_anybody(services, message);
    if (!who) co_return who.error();
    if (const auto mail = http::query_view(message.query()).get_boolean("sendActivationMail"); !mail) {
        co_return mail.error();
    }
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    auto sent = parse_user(*body);
    if (!sent) co_return sent.error();
    if (!sent->id) {
        if ((*who)->role == authority::customer_user) co_return permission_denied();
        auto account = new_user(services, **who, std::move(*sent));
        if (!account) co_return account.error();
        auto made = co_await services.accounts.create(std::move(*account));
        if (!made) co_return made.error();
        co_return http::response::json(200, user_json(**made));
    }
    const user_id id{*sent->id};
    auth::directory::edit<auth::user> how = [who = *who, given = std::move(*sent)](auth::user& value) {
        return update_user(*who, given, value);
    };
    auto changed = co_await services.accounts.change_user(id, std::move(how));
    if (!changed) co_return changed.error();
    co_return http::response::json(200, user_json(**changed));
}

task<result<http::response>> find(const account_services& services, http::request& message) {
    const auto found = user_in_path(services, message, may_keep);
    if (!found) co_return found.error();
    co_return http::response::json(200, user_json(*found->account));
}

task<result<http::response>> erase(const account_services& services, http::request& message) {
    const auto found = user_in_path(services, message, may_keep);
    if (!found) co_return found.error();
    if (found->who->user == found->account->id && found->who->role == authority::sys_admin) {
        co_return error{errc::permission_denied, "Sysadmin is not allowed to delete himself"};
    }
    if (!may_decide_about(*found->who, *found->account)) co_return permission_denied();
    auto done = co_await services.accounts.delete_user(found->account->id);
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> set_enabled(const account_services& services, http::request& message) {
    const auto found = user_in_path(services, message, may_decide_about);
    if (!found) co_return found.error();
    const auto enabled = http::query_view(message.query()).get_boolean("userCredentialsEnabled");
    if (!enabled) co_return enabled.error();
    auto done = co_await services.logins.set_enabled(found->account->id, enabled->value_or(true));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> activation_link(const account_services& services, http::request& message) {
    const auto found = user_in_path(services, message, may_decide_about);
    if (!found) co_return found.error();
    auto token = co_await services.logins.activation_token(found->account->id, letting_in(*found));
    if (!token) co_return token.error();
    const auto view = http::view_of(message);
    co_return http::response::text(200, view.url("/api/noauth/activate?activateToken=" + *token));
}

/// **Ours**: ThingsBoard resets a password by mail only, which a gallery does not send.
task<result<http::response>> set_password(const account_services& services, http::request& message) {
    const auto found = user_in_path(services, message, may_decide_about);
    if (!found) co_return found.error();
    auto allowed = letting_in(*found);
    if (const auto may = allowed(*found->account); !may) co_return may.error();
    auto body = co_await read_json_object(message);
    if (!body) co_return body.error();
    json_fields fields(*body);
    auto password = fields.secret("password");
    if (const auto good = fields.done(); !good) co_return good.error();
    auto done =
        co_await services.logins.set_password(found->account->id, std::move(password), std::move(allowed));
    if (!done) co_return done.error();
    co_return http::response::empty(200);
}

task<result<http::response>> user_page(http::request& message, std::vector<auth::user_ptr> users) {
    const auto page = parse_page_request(message, {"createdTime", "firstName", "lastName", "email"});
    if (!page) co_return page.error();
    const auto text = [](const auth::user& one, std::string_view property) -> std::string {
        if (property == "firstName") return one.first_name;
        if (property == "lastName") return one.last_name;
        if (property == "email") return one.email;
        return {};
    };
    const auto number = [](const auth::user& one, std::string_view property) {
        return property == "createdTime" ? one.created_time : 0;
    };
    auto items = account_page(
        std::move(users), *page, [](const auth::user& one) { return one.email; }, text, number,
        [](const auth::user& one) { return user_json(one); });
    auto answer = page_response(std::move(items), page->bounds);
    co_return co_await std::move(answer);
}

/// The users whom this principal keeps; a customer's user sees those of the same customer.
task<result<http::response>> list(const account_services& services, http::request& message) {
    const auto who = require_anybody(services, message);
    if (!who) co_return who.error();
    std::vector<auth::user_ptr> users;
    switch ((*who)->role) {
        case authority::sys_admin: {
            users = services.accounts.users_with(authority::sys_admin);
            const auto admins = services.accounts.users_with(authority::tenant_admin);
            users.insert(users.end(), admins.begin(), admins.end());
            break;
        }
        case authority::tenant_admin:
            users = services.accounts.users_of((*who)->tenant);
            break;
        case authority::customer_user:
            users = services.accounts.users_of(*(*who)->customer);
            break;
    }
    auto page = user_page(message, std::move(users));
    co_return co_await std::move(page);
}

task<result<http::response>> list_tenant_admins(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::sys_admin});
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "tenantId");
    if (!id) co_return id.error();
    if (!services.accounts.find_tenant(tenant_id{*id})) {
        co_return error{errc::not_found, "Tenant with id [" + to_string(*id) + "] is not found"};
    }
    auto users = services.accounts.users_of(tenant_id{*id});
    std::erase_if(users, [](const auth::user_ptr& one) { return one->role != authority::tenant_admin; });
    auto page = user_page(message, std::move(users));
    co_return co_await std::move(page);
}

task<result<http::response>> list_customer_users(const account_services& services, http::request& message) {
    const auto who = require_role(services, message, {authority::tenant_admin});
    if (!who) co_return who.error();
    const auto id = id_parameter(message, 0, "customerId");
    if (!id) co_return id.error();
    const auto owner = services.accounts.find_customer(customer_id{*id});
    if (!owner) co_return error{errc::not_found, "Customer with id [" + to_string(*id) + "] is not found"};
    if (owner->owner != (*who)->tenant) co_return permission_denied();
    auto page = user_page(message, services.accounts.users_of(owner->id));
    co_return co_await std::move(page);
}

}  // namespace

void add_user_routes(http::router& routes, const account_services& services) {
    using http::method;
    const auto add = [&](method verb, std::string_view pattern, std::string_view name,
                         account_endpoint answer, std::uint64_t limit = 0) {
        add_endpoint(routes, services, verb, pattern, name, answer, limit);
    };
    add(method::post, "/api/user", "user.save", save, max_account_body);
    add(method::get, "/api/user/{userId}", "user.find", find);
    add(method::delete_, "/api/user/{userId}", "user.delete", erase);
    add(method::post, "/api/user/{userId}/userCredentialsEnabled", "user.enable", set_enabled);
    add(method::get, "/api/user/{userId}/activationLink", "user.activation_link", activation_link);
    add(method::post, "/api/user/{userId}/password", "user.set_password", set_password, max_account_body);
    add(method::get, "/api/users", "user.list", list);
    add(method::get, "/api/tenant/{tenantId}/users", "user.list_of_tenant", list_tenant_admins);
    add(method::get, "/api/customer/{customerId}/users", "user.list_of_customer", list_customer_users);
}

}  // namespace gallery::api

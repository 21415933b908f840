// SPDX-License-Identifier: Apache-2.0
/// The table row of an endpoint: method, path, body, who may call it, and the handler. Everything that
/// depends on a route (the router, the body limits, the metrics, the checks of the API's description) is
/// derived from its row.
///
/// A handler is a free coroutine. Its second parameter is the proof that the row's access was checked, so
/// that the row and the handler cannot disagree:
///
///     task<result<http::response>> find(const account_services&, accounts::administrator, http::request&);
///
///     constexpr endpoint<account_services> endpoints[] = {
///         {http::method::get, "/api/tenant/{tenantId}", "tenant.find", body_kind::none,
///          allow<accounts::administrator, find>},
///     };
#pragma once

#include "accounts/proof.hpp"
#include "api/authentication.hpp"
#include "auth/principal.hpp"
#include "http/router.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gallery::api {

/// What an endpoint takes as its body. It decides how large the body may be.
enum class body_kind : std::uint8_t {
    none,              ///< nothing; a short body is read and ignored
    json,              ///< a JSON document or another short text
    picture_form,      ///< multipart/form-data with a picture
    picture_document,  ///< a JSON document with a picture in base64
    document,          ///< a JSON document of any content, which may contain pictures
    image_list,        ///< a JSON document that names many images
    image_list_form,   ///< the same in a field of a form, application/x-www-form-urlencoded
};

/// Who may call an endpoint, as far as the credentials alone decide it. What depends on the account or image
/// in the path is decided by the use case.
struct access_rule {
    bool anonymous = false;                ///< without credentials as well
    bool api_key = true;                   ///< with an API key as well as with a token
    auth::authority_set roles;             ///< with {type} = "tenant", and where the path has no {type}
    auth::authority_set on_system_images;  ///< with {type} = "system"
};

/// An endpoint without its handler, for tests and for what is made from the whole API.
struct endpoint_facts {
    http::method verb;
    std::string_view pattern;  ///< as http::router takes it
    std::string_view name;     ///< in metrics and the access log
    body_kind body;
    access_rule access;
    bool is_probe = false;
};

/// The most bytes that the content of a request's body may have: of the picture itself, whatever the form or
/// the base64 around it adds, or of the JSON text. The limit of body_kind::document is for its whole text.
struct content_limit {
    std::uint64_t bytes = 0;
};

/// A handler behind the check of its access.
template <class Services>
struct guarded_handler {
    access_rule access;
    task<result<http::response>> (*answer)(const Services&, http::request&, content_limit);
    /// Answers at once or returns false, as http::hot_handler. Null where there is no such try.
    bool (*answer_now)(const Services&, http::request&, http::response&) = nullptr;
};

/// A row. @p Services is what the handlers of the resource need; it has a member `verify`.
template <class Services>
struct endpoint {
    http::method verb;
    std::string_view pattern;
    std::string_view name;
    body_kind body;
    guarded_handler<Services> handler;
    bool open_to_pages = false;  ///< pages of every origin may read the answers
    bool is_probe = false;       ///< of load balancers, whose requests no limit of clients refuses

    [[nodiscard]] constexpr endpoint_facts facts() const noexcept {
        return {verb, pattern, name, body, handler.access, is_probe};
    }
};

/// The access of an endpoint: everybody, without credentials. Its handlers take no proof.
struct everyone {};

/// What an access is: the rule, the proof that a handler gets, and the check that makes it. Specialised for
/// each kind of proof.
template <class Access>
struct access_of;

template <>
struct access_of<everyone> {
    static constexpr access_rule rule{true, true, auth::every_authority, auth::every_authority};
};

template <auth::authority... Roles>
struct access_of<accounts::role_proof<Roles...>> {
    using proof = accounts::role_proof<Roles...>;
    static constexpr access_rule rule{false, true, {Roles...}, {Roles...}};
    static result<proof> check(auth::principal_ptr who, const http::request&) {
        return accounts::prove<proof>(std::move(who));
    }
};

namespace detail {

template <class Services, class... More>
Services services_of(task<result<http::response>> (*)(const Services&, More...));
template <class Services, class... More>
Services services_of(bool (*)(const Services&, More...));

template <auto Handler>
using services_of_t = decltype(services_of(Handler));

/// The outcome of a request that is refused before its handler.
task<result<http::response>> refusal(error why);
/// Makes @p out the answer to a request that is refused at once.
void refuse(http::response& out, const error& why);

template <class Access>
result<typename access_of<Access>::proof> check(const verify_credentials& verify, http::request& message) {
    auto who = principal_of(message, verify);
    if (!who) return std::move(who).error();
    return access_of<Access>::check(std::move(*who), message);
}

template <class Access, auto Handler>
task<result<http::response>> answer(const services_of_t<Handler>& services, http::request& message,
                                    [[maybe_unused]] content_limit limit) {
    const auto call = [&](auto&&... first) {
        if constexpr (std::is_invocable_v<decltype(Handler), decltype(first)..., http::request&,
                                          content_limit>) {
            return Handler(std::forward<decltype(first)>(first)..., message, limit);
        } else {
            return Handler(std::forward<decltype(first)>(first)..., message);
        }
    };
    if constexpr (std::is_same_v<Access, everyone>) {
        return call(services);
    } else {
        auto proof = check<Access>(services.verify, message);
        if (!proof) return refusal(std::move(proof).error());
        return call(services, std::move(*proof));
    }
}

template <class Access, auto Try>
bool answer_now(const services_of_t<Try>& services, http::request& message, http::response& out) {
    if constexpr (std::is_same_v<Access, everyone>) {
        return Try(services, message, out);
    } else {
        const auto proof = check<Access>(services.verify, message);
        if (!proof) {
            refuse(out, proof.error());
            return true;
        }
        return Try(services, *proof, message, out);
    }
}

}  // namespace detail

/// @p Handler for requests with @p Access: task<result<http::response>>(const Services&, proof,
/// http::request&), with a content_limit as an optional fourth parameter. `everyone` has no
/// proof.
template <class Access, auto Handler>
inline constexpr guarded_handler<detail::services_of_t<Handler>> allow{access_of<Access>::rule,
                                                                       &detail::answer<Access, Handler>};

/// The same with a first try that answers where nothing has to be waited for:
/// bool(const Services&, const proof&, http::request&, http::response&).
template <class Access, auto Handler, auto Try>
inline constexpr guarded_handler<detail::services_of_t<Handler>> allow_at_once{
    access_of<Access>::rule, &detail::answer<Access, Handler>, &detail::answer_now<Access, Try>};

/// How large the content of a body may be, for an endpoint with this pattern. Not asked for body_kind::none.
using content_limits = std::function<content_limit(std::string_view pattern, body_kind kind)>;

/// The limit of a JSON text, unless a setting is lower.
inline constexpr std::uint64_t max_json_bytes = 64 * 1024;

/// Bytes that a body may have whose content has @p content: the form or the base64 is added.
std::uint64_t body_limit(body_kind kind, content_limit content) noexcept;

/// Adds an endpoint to the router.
void add_route(http::router& routes, const endpoint_facts& facts, bool open_to_pages, content_limit limit,
               http::handler answer, http::hot_handler answer_now);

/// Adds all @p rows. @p services outlives the router; all I/O threads use it at once.
template <class Services>
void add_endpoints(http::router& routes, std::span<const endpoint<Services>> rows, const Services& services,
                   const content_limits& limits) {
    for (const auto& row : rows) {
        const auto limit = row.body == body_kind::none ? content_limit{} : limits(row.pattern, row.body);
        http::hot_handler now;
        if (row.handler.answer_now != nullptr) {
            now = [&services, now = row.handler.answer_now](http::request& message, http::response& out) {
                return now(services, message, out);
            };
        }
        add_route(
            routes, row.facts(), row.open_to_pages, limit,
            [&services, answer = row.handler.answer, limit](http::request& message) {
                return answer(services, message, limit);
            },
            std::move(now));
    }
}

}  // namespace gallery::api

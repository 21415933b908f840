// SPDX-License-Identifier: Apache-2.0
#include "api/mirror.hpp"

#include "api/json_fields.hpp"

#include <gallery/clock.hpp>
#include <gallery/name_table.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace gallery::api {
namespace {

namespace json = boost::json;

constexpr name_table<mirror::mirror_state, 5> state_names{{{
    {mirror::mirror_state::none, "none"},
    {mirror::mirror_state::copying, "copying"},
    {mirror::mirror_state::following, "following"},
    {mirror::mirror_state::stopped, "stopped"},
    {mirror::mirror_state::failed, "failed"},
}}};

json::object store_json(const std::string& engine, const std::string& path) {
    json::object out;
    out["engine"] = engine;
    out["path"] = path;
    return out;
}

json::object part_json(std::uint64_t done, std::uint64_t total) {
    json::object out;
    out["done"] = done;
    out["total"] = std::max(done, total);
    return out;
}

json::array texts_json(const std::vector<std::string>& texts) {
    json::array out;
    for (const auto& text : texts)
        out.emplace_back(text);
    return out;
}

json::object verified_json(const mirror::verified& v) {
    json::object out;
    out["time"] = v.time;
    out["revision"] = v.rev;
    out["images"] = v.images;
    out["same"] = v.problems.empty();
    out["problems"] = texts_json(v.problems);
    return out;
}

/// Options of the target are not part of it, because they may contain secrets.
json::object status_json(const mirror_services& services, const mirror::mirror_status& s) {
    json::object out;
    out["state"] = state_names.name_of(s.state);
    out["active"] = store_json(services.active_engine, services.active_path);
    if (s.state == mirror::mirror_state::none) {
        out["problem"] = s.problem;
        return out;
    }
    const bool is_following = s.state == mirror::mirror_state::following;
    out["mirror"] = store_json(s.engine, s.path);
    out["images"] = part_json(s.done.images_done, s.done.images_total);
    out["bytes"] = part_json(s.done.bytes_done, s.done.bytes_total);
    out["imagesCopied"] = s.done.images_copied;
    out["bytesCopied"] = s.done.bytes_copied;
    out["imagesErased"] = s.done.images_erased;
    out["changesApplied"] = s.done.changes_applied;
    out["revision"] = s.position;
    out["lagRevisions"] = s.lag;
    const auto behind = is_following && s.lag > 0 ? std::max<std::int64_t>(now_ms() - s.current_at, 0) : 0;
    out["lagSeconds"] = static_cast<double>(behind) / 1000;
    out["complete"] = s.is_complete;
    out["verifying"] = s.is_verifying;
    out["imagesVerified"] = s.verified_images;
    out["problem"] = s.problem;
    out["damaged"] = texts_json(s.damage);
    if (s.last_verified) out["verified"] = verified_json(*s.last_verified);
    return out;
}

result<mirror::service*> service_of(const mirror_services& services) {
    auto* found = services.mirror();
    if (found == nullptr) return error{errc::unavailable, "the server is starting"};
    return found;
}

/// The reason is for administrators, and so is sent. Without this, it would only be logged.
error shown(const error& e) {
    switch (e.code) {
        case errc::not_found:
        case errc::permission_denied:
        case errc::invalid_argument:
            return e;
        default:
            return {errc::invalid_argument, "The mirror cannot do this: " + e.message};
    }
}

struct submitted_mirror {
    mirror::target_address target;
    bool any_source = false;
};

result<submitted_mirror> parse_start(const json::object& from) {
    constexpr std::size_t longest_path = 4096;
    json_fields fields(from);
    submitted_mirror out;
    out.target.engine = fields.required_text("engine");
    out.target.path = fields.text("path", longest_path);
    out.any_source = fields.boolean("anySource").value_or(false);
    if (const auto* options = from.if_contains("options"); options != nullptr && !options->is_null()) {
        if (!options->is_object()) {
            fields.refuse("options must be an object of texts");
        } else {
            for (const auto& each : options->get_object()) {
                if (!each.value().is_string()) {
                    fields.refuse("options must be an object of texts");
                    break;
                }
                out.target.options[std::string(each.key())] = std::string(each.value().get_string());
            }
        }
    }
    if (auto good = fields.done(); !good) return good.error();
    return out;
}

result<bool> parse_stop(const json::object& from) {
    json_fields fields(from);
    const bool out = fields.boolean("acceptDamage").value_or(false);
    if (auto good = fields.done(); !good) return good.error();
    return out;
}

http::response status_response(const mirror_services& services, const mirror::service& from) {
    return http::response::json(200, status_json(services, from.status()));
}

task<result<http::response>> status(const mirror_services& services, accounts::signed_in_administrator,
                                    http::request&) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    co_return status_response(services, **found);
}

task<result<http::response>> start(const mirror_services& services, accounts::signed_in_administrator,
                                   http::request& message) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    auto sent = co_await read_json(message, parse_start);
    if (!sent) co_return sent.error();
    const auto started = co_await (*found)->start(std::move(sent->target), sent->any_source);
    if (!started) co_return shown(started.error());
    co_return status_response(services, **found);
}

task<result<http::response>> stop(const mirror_services& services, accounts::signed_in_administrator,
                                  http::request& message) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    const auto accept_damage = co_await read_json(message, parse_stop);
    if (!accept_damage) co_return accept_damage.error();
    const auto stopped = co_await (*found)->stop(*accept_damage);
    if (!stopped) co_return shown(stopped.error());
    co_return http::response::json(200, status_json(services, *stopped));
}

task<result<http::response>> verify(const mirror_services& services, accounts::signed_in_administrator,
                                    http::request&) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    const auto begun = co_await (*found)->verify();
    if (!begun) co_return shown(begun.error());
    co_return status_response(services, **found);
}

task<result<http::response>> forget(const mirror_services& services, accounts::signed_in_administrator,
                                    http::request&) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    const auto forgotten = co_await (*found)->forget();
    if (!forgotten) co_return shown(forgotten.error());
    co_return status_response(services, **found);
}

constexpr endpoint<mirror_services> endpoints[] = {
    {http::method::get, "/api/system/mirror", "mirror.status", body_kind::none,
     allow<accounts::signed_in_administrator, status>},
    {http::method::post, "/api/system/mirror/start", "mirror.start", body_kind::json,
     allow<accounts::signed_in_administrator, start>},
    {http::method::post, "/api/system/mirror/verify", "mirror.verify", body_kind::none,
     allow<accounts::signed_in_administrator, verify>},
    {http::method::post, "/api/system/mirror/stop", "mirror.stop", body_kind::json,
     allow<accounts::signed_in_administrator, stop>},
    {http::method::delete_, "/api/system/mirror", "mirror.forget", body_kind::none,
     allow<accounts::signed_in_administrator, forget>},
};

}  // namespace

std::span<const endpoint<mirror_services>> mirror_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api

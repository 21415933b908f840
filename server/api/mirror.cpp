// SPDX-License-Identifier: Apache-2.0
#include "api/mirror.hpp"

#include "api/json_fields.hpp"
#include "api/shown_error.hpp"

#include <gallery/clock.hpp>
#include <gallery/name_table.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gallery::api {
namespace {

namespace json = boost::json;

constexpr name_table<mirror::mirror_state, 6> state_names{{{
    {mirror::mirror_state::none, "none"},
    {mirror::mirror_state::copying, "copying"},
    {mirror::mirror_state::following, "following"},
    {mirror::mirror_state::switching, "switching"},
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

json::object verified_json(const mirror::verification& v) {
    json::object out;
    out["time"] = v.time;
    out["images"] = v.images;
    out["bodies"] = v.bodies;
    out["rounds"] = v.rounds;
    out["same"] = v.is_same;
    out["repaired"] = texts_json(v.differences);
    return out;
}

json::object completed_json(const mirror::completion& c) {
    json::object out;
    out["revision"] = c.rev;
    out["images"] = c.images;
    out["bytes"] = c.bytes;
    out["keptVersions"] = c.versions;
    out["damaged"] = c.damaged;
    out["time"] = c.time;
    return out;
}

json::object switched_json(const mirror::last_switch& s) {
    json::object out;
    out["time"] = s.time;
    out["from"] = store_json(s.from_engine, s.from_path);
    out["heldMilliseconds"] = std::chrono::duration_cast<std::chrono::milliseconds>(s.held).count();
    return out;
}

/// Options of the target are not part of it, because they may contain secrets.
json::object status_json(const mirror_services& services, const mirror::mirror_status& s) {
    json::object out;
    out["state"] = state_names.name_of(s.state);
    const auto active = services.active();
    out["active"] = store_json(active.engine, active.path);
    if (s.switched) out["lastSwitch"] = switched_json(*s.switched);
    out["problem"] = s.problem;
    out["claimProblem"] = s.claim_problem;
    if (s.state == mirror::mirror_state::none) return out;
    out["run"] = s.run;
    out["mirror"] = store_json(s.engine, s.path);
    out["backup"] = s.is_backup;
    out["images"] = part_json(s.done.images_done, s.done.images_total);
    out["bytes"] = part_json(s.done.bytes_done, s.done.bytes_total);
    out["imagesCopied"] = s.done.images_copied;
    out["bytesCopied"] = s.done.bytes_copied;
    out["imagesErased"] = s.done.images_erased;
    out["changesApplied"] = s.done.changes_applied;
    out["revision"] = s.position;
    out["currentTime"] = s.current_at;
    out["lagRevisions"] = s.lag;
    out["lagSeconds"] = mirror::lag_seconds(s, now_ms());
    out["retrying"] = s.is_retried;
    out["stopping"] = s.is_stopping;
    out["verifying"] = s.is_verifying;
    out["canSwitch"] = s.can_switch;
    out["damaged"] = texts_json(s.damage);
    out["backupTime"] = s.backup_at;
    if (s.verified) out["verified"] = verified_json(*s.verified);
    if (s.completed) out["completed"] = completed_json(*s.completed);
    return out;
}

result<mirror::service*> service_of(const mirror_services& services) {
    if (!services.has_started()) return error{errc::unavailable, "the server is starting"};
    return services.mirror;
}

result<void> parse_options(const json::object& from, std::map<std::string, std::string>& out) {
    const auto* options = from.if_contains("options");
    if (options == nullptr || options->is_null()) return {};
    const error wrong{errc::invalid_argument, "options must be an object of texts"};
    if (!options->is_object()) return wrong;
    for (const auto& each : options->get_object()) {
        if (!each.value().is_string()) return wrong;
        out[std::string(each.key())] = std::string(each.value().get_string());
    }
    return {};
}

result<mirror::start_request> parse_start(const json::object& from) {
    constexpr std::size_t longest_path = 4096;
    json_fields fields(from);
    mirror::start_request out;
    out.target.engine = fields.required_text("engine");
    out.target.path = fields.text("path", longest_path);
    out.any_source = fields.boolean("anySource").value_or(false);
    out.is_backup = fields.boolean("backup").value_or(false);
    out.verifies = fields.boolean("verify").value_or(false);
    out.skips_damaged = fields.boolean("skipDamaged").value_or(false);
    if (!out.is_backup && (out.verifies || out.skips_damaged))
        fields.refuse("verify and skipDamaged require backup");
    if (auto good = fields.done(); !good) return good.error();
    if (auto good = parse_options(from, out.target.options); !good) return good.error();
    return out;
}

/// Whether the mirror is abandoned.
result<bool> parse_stop(const json::object& from) {
    json_fields fields(from);
    const bool out = fields.boolean("abandon").value_or(false);
    if (auto good = fields.done(); !good) return good.error();
    return out;
}

result<http::response> response_of(const mirror_services& services,
                                   const result<mirror::mirror_status>& outcome) {
    if (!outcome) return shown_to_administrators(outcome.error());
    return http::response::json(200, status_json(services, *outcome));
}

task<result<http::response>> status(const mirror_services& services, accounts::signed_in_administrator,
                                    http::request&) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    co_return response_of(services, (*found)->status());
}

task<result<http::response>> start(const mirror_services& services, accounts::signed_in_administrator,
                                   http::request& message) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    auto sent = co_await read_json(message, parse_start);
    if (!sent) co_return sent.error();
    const auto started = co_await (*found)->start(std::move(*sent));
    co_return response_of(services, started);
}

task<result<http::response>> stop(const mirror_services& services, accounts::signed_in_administrator,
                                  http::request& message) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    const auto is_abandoned = co_await read_json(message, parse_stop);
    if (!is_abandoned) co_return is_abandoned.error();
    if (*is_abandoned) {
        const auto ended = co_await (*found)->abandon();
        co_return response_of(services, ended);
    }
    const auto ended = co_await (*found)->stop();
    co_return response_of(services, ended);
}

task<result<http::response>> verify(const mirror_services& services, accounts::signed_in_administrator,
                                    http::request&) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    const auto begun = co_await (*found)->verify();
    co_return response_of(services, begun);
}

task<result<http::response>> switch_over(const mirror_services& services, accounts::signed_in_administrator,
                                         http::request&) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    const auto done = co_await (*found)->switch_over();
    co_return response_of(services, done);
}

task<result<http::response>> forget(const mirror_services& services, accounts::signed_in_administrator,
                                    http::request&) {
    const auto found = service_of(services);
    if (!found) co_return found.error();
    const auto forgotten = co_await (*found)->forget();
    co_return response_of(services, forgotten);
}

constexpr endpoint<mirror_services> endpoints[] = {
    {http::method::get, "/api/system/mirror", "mirror.status", body_kind::none,
     allow<accounts::signed_in_administrator, status>},
    {http::method::post, "/api/system/mirror/start", "mirror.start", body_kind::json,
     allow<accounts::signed_in_administrator, start>},
    {http::method::post, "/api/system/mirror/verify", "mirror.verify", body_kind::none,
     allow<accounts::signed_in_administrator, verify>},
    {http::method::post, "/api/system/mirror/switch", "mirror.switch", body_kind::none,
     allow<accounts::signed_in_administrator, switch_over>},
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

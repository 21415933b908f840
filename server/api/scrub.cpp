// SPDX-License-Identifier: Apache-2.0
#include "api/scrub.hpp"

#include "api/json_fields.hpp"
#include "api/shown_error.hpp"

#include <gallery/name_table.hpp>
#include <gallery/uuid.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace gallery::api {
namespace {

namespace json = boost::json;

constexpr name_table<scrub::scrub_state, 3> scrub_state_names{{{
    {scrub::scrub_state::idle, "idle"},
    {scrub::scrub_state::running, "running"},
    {scrub::scrub_state::elsewhere, "elsewhere"},
}}};

json::object progress_json(std::uint64_t done, std::uint64_t total) {
    json::object out;
    out["done"] = done;
    out["total"] = std::max(done, total);
    return out;
}

json::object damaged_json(const scrub::damaged_body& one) {
    json::object out;
    out["tenantId"] = entity_id("TENANT", one.tenant.value);
    out["key"] = one.key;
    out["imageId"] = to_string(one.id);
    out["body"] = one.which == representation::original ? "original" : "preview";
    out["problem"] = one.problem;
    out["foundTime"] = one.found_at;
    return out;
}

json::object scrub_json(const scrub::scrub_status& s) {
    const auto& stored = s.stored;
    json::object out;
    out["state"] = scrub_state_names.name_of(s.state);
    out["startedTime"] = stored.started_at;
    out["completedTime"] = stored.completed_at;
    out["dueTime"] = s.due_at;
    out["bytesPerSecond"] = s.rate;
    out["images"] = progress_json(stored.done.images, stored.total.images);
    out["keptVersions"] = progress_json(stored.done.versions, stored.total.versions);
    out["bytes"] = progress_json(stored.done.bytes, stored.total.bytes);
    out["bodies"] = stored.done.bodies;
    out["damagedBodies"] = stored.damaged();
    json::array damaged;
    for (const auto& one : stored.damage.all())
        damaged.push_back(damaged_json(one));
    out["damaged"] = std::move(damaged);
    out["problem"] = s.problem;
    return out;
}

/// The rate of the pass.
result<std::optional<std::uint64_t>> parse_scrub_start(const json::object& from) {
    json_fields fields(from);
    const auto rate = fields.integer("bytesPerSecond");
    if (rate && *rate < 0) fields.refuse("bytesPerSecond must be at least 0");
    if (auto good = fields.done(); !good) return good.error();
    return rate ? std::optional<std::uint64_t>(static_cast<std::uint64_t>(*rate)) : std::nullopt;
}

result<http::response> scrub_response(const result<scrub::scrub_status>& outcome) {
    if (!outcome) return shown_to_administrators(outcome.error());
    return http::response::json(200, scrub_json(*outcome));
}

error server_starts() {
    return {errc::unavailable, "the server is starting or stopping"};
}

task<result<http::response>> scrub_status(const scrub_services& services, accounts::system_administrator,
                                          http::request&) {
    if (!services.has_started()) co_return server_starts();
    co_return scrub_response(services.scrub->status());
}

task<result<http::response>> start_scrub(const scrub_services& services, accounts::system_administrator,
                                         http::request& message) {
    if (!services.has_started()) co_return server_starts();
    const auto rate = co_await read_json(message, parse_scrub_start);
    if (!rate) co_return rate.error();
    const auto started = co_await services.scrub->start(*rate);
    co_return scrub_response(started);
}

task<result<http::response>> stop_scrub(const scrub_services& services, accounts::system_administrator,
                                        http::request&) {
    if (!services.has_started()) co_return server_starts();
    const auto stopped = co_await services.scrub->stop();
    co_return scrub_response(stopped);
}

constexpr endpoint<scrub_services> endpoints_of_scrub[] = {
    {http::method::get, "/api/system/scrub", "scrub.status", body_kind::none,
     allow<accounts::system_administrator, scrub_status>},
    {http::method::post, "/api/system/scrub/start", "scrub.start", body_kind::json,
     allow<accounts::system_administrator, start_scrub>},
    {http::method::post, "/api/system/scrub/stop", "scrub.stop", body_kind::none,
     allow<accounts::system_administrator, stop_scrub>},
};

}  // namespace

std::span<const endpoint<scrub_services>> scrub_endpoints() noexcept {
    return endpoints_of_scrub;
}

}  // namespace gallery::api

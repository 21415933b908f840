// SPDX-License-Identifier: Apache-2.0
#include "api/system.hpp"

#include "api/pages.hpp"
#include "http/errors.hpp"
#include "http/query.hpp"
#include "images/quotas.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace gallery::api {
namespace {

/// ThingsBoard's SystemParams as far as it concerns a gallery; what its clients read and a gallery does not
/// have, says so. maxUploadSize is ours.
boost::json::object parameters_json(const system_parameters& p) {
    boost::json::object json;
    json["userTokenAccessEnabled"] = false;
    json["allowedDashboardIds"] = boost::json::array();
    json["edgesSupportEnabled"] = false;
    json["hasRepository"] = false;
    json["tbelEnabled"] = false;
    json["persistDeviceStateToTelemetry"] = false;
    json["userSettings"] = boost::json::object();
    json["mobileQrEnabled"] = false;
    json["maxResourceSize"] = p.max_resource_size;
    json["maxUploadSize"] = p.max_upload_size;
    return json;
}

boost::json::array nodes_json(const std::vector<node>& all) {
    boost::json::array out;
    for (const auto& one : all) {
        boost::json::object json;
        json["id"] = one.id;
        json["address"] = one.address;
        json["version"] = one.version;
        json["startedTime"] = one.started_time;
        json["lastSeenTime"] = one.last_seen_time;
        json["up"] = one.is_up;
        json["self"] = one.is_self;
        out.push_back(std::move(json));
    }
    return out;
}

boost::json::value text_or_null(const std::optional<std::string>& text) {
    return text ? boost::json::value(*text) : boost::json::value();
}

boost::json::array changes_json(const std::vector<setting_change>& all) {
    boost::json::array out;
    for (const auto& one : all) {
        boost::json::object json;
        json["setting"] = one.setting;
        json["from"] = text_or_null(one.from);
        json["to"] = text_or_null(one.to);
        out.push_back(std::move(json));
    }
    return out;
}

boost::json::object report_json(const reload_report& report) {
    boost::json::array overridden;
    for (const auto& one : report.overridden) {
        boost::json::object json;
        json["setting"] = one.setting;
        json["variables"] = one.variables;
        overridden.push_back(std::move(json));
    }
    boost::json::object json;
    json["changed"] = changes_json(report.changed);
    json["needsRestart"] = changes_json(report.needs_restart);
    json["overridden"] = std::move(overridden);
    return json;
}

http::response up() {
    return http::response::json_text(200, bytes::permanent(R"({"status":"UP"})"));
}

/// Not ThingsBoard's shape of an error, but with the id of the request in the same places.
http::response down(const http::request& message) {
    auto out = http::response::json_text(503, bytes::permanent(R"({"status":"DOWN"})"));
    http::name_error(out, message.request_id());
    return out;
}

task<result<http::response>> parameters(const system_services& services, accounts::anybody who,
                                        http::request&) {
    const auto own = services.own_limit(who.who().tenant);
    auto effective = services.parameters;
    effective.max_resource_size = images::smaller_limit(own, effective.max_resource_size);
    effective.max_upload_size = images::smaller_limit(own, effective.max_upload_size);
    co_return http::response::json(200, parameters_json(effective));
}

task<result<http::response>> nodes(const system_services& services, accounts::system_administrator,
                                   http::request&) {
    const auto all = co_await services.nodes();
    if (!all) co_return all.error();
    co_return http::response::json(200, nodes_json(*all));
}

task<result<http::response>> reload(const system_services& services, accounts::system_administrator,
                                    http::request&) {
    const auto report = co_await services.reload();
    if (!report) co_return report.error();
    co_return http::response::json(200, report_json(*report));
}

task<result<http::response>> live(const system_services&, http::request&) {
    co_return up();
}

task<result<http::response>> ready(const system_services& services, http::request& message) {
    const auto purpose = http::query_view(message.query()).get("for");
    if (!purpose) co_return purpose.error();
    const auto what = purpose->value_or("read");
    if (what != "read" && what != "write") co_return bad_parameter("for", what, "read or write");
    const bool is_up = services.is_serving() && (what == "read" || services.accepts_writes());
    co_return is_up ? up() : down(message);
}

constexpr endpoint<system_services> endpoints[] = {
    {http::method::get, "/api/system/params", "system.params", body_kind::none,
     allow<accounts::anybody, parameters>},
    {http::method::get, "/api/system/nodes", "system.nodes", body_kind::none,
     allow<accounts::system_administrator, nodes>},
    {http::method::post, "/api/system/reload", "system.reload", body_kind::none,
     allow<accounts::system_administrator, reload>},
    {http::method::get, "/health/live", "health.live", body_kind::none, allow<everyone, live>, false, true},
    {http::method::get, "/health/ready", "health.ready", body_kind::none, allow<everyone, ready>, false,
     true},
};

}  // namespace

std::span<const endpoint<system_services>> system_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api

// SPDX-License-Identifier: Apache-2.0
#include "api/system.hpp"

#include "accounts/proof.hpp"
#include "http/errors.hpp"
#include "http/query.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <utility>

namespace gallery::api {

namespace {

/// ThingsBoard's SystemParams as far as it concerns a gallery; what its clients read and a gallery does not
/// have, says so. maxUploadSize is ours.
std::string render(const system_parameters& p) {
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
    return boost::json::serialize(json);
}

boost::json::array render(const std::vector<node>& all) {
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

http::response health(bool well) {
    return http::response::json_text(well ? 200 : 503,
                                     bytes::permanent(well ? R"({"status":"UP"})" : R"({"status":"DOWN"})"));
}

}  // namespace

system::system(verify_credentials verify, system_parameters parameters, readiness ready, list_nodes nodes)
    : verify_(std::move(verify)),
      parameters_(parameters),
      ready_(std::move(ready)),
      nodes_(std::move(nodes)) {}

void system::add_routes(http::router& routes) {
    routes.add(
        http::method::get, "/api/system/params",
        [this, text = bytes::own(render(parameters_))](http::request& message) -> task<http::response> {
            const auto who = principal_of(message, verify_);
            if (!who) co_return http::error_response(who.error());
            co_return http::response::json_text(200, text);
        },
        {.name = "system.params"});
    routes.add(http::method::get, "/api/system/nodes",
               [this](http::request& message) -> task<http::response> {
                   const auto who = principal_of(message, verify_);
                   if (!who) co_return http::error_response(who.error());
                   const auto may = accounts::prove<accounts::system_administrator>(*who);
                   if (!may) co_return http::error_response(may.error());
                   const auto all = co_await nodes_();
                   if (!all) co_return http::error_response(all.error());
                   co_return http::response::json(200, render(*all));
               },
               {.name = "system.nodes"});
    routes.add(http::method::get, "/health/live",
               [](http::request&) -> task<http::response> { co_return health(true); },
               {.name = "health.live"});
    routes.add(http::method::get, "/health/ready",
               [this](http::request& message) -> task<http::response> {
                   const auto purpose = http::query_view(message.query()).get("for");
                   if (!purpose) co_return http::error_response(purpose.error());
                   const auto what = purpose->value_or("read");
                   if (what != "read" && what != "write") {
                       co_return http::error_response(
                           {errc::invalid_argument, "The parameter 'for' takes read or write"});
                   }
                   co_return health(ready_.reads() && (what == "read" || ready_.writes()));
               },
               {.name = "health.ready"});
}

}  // namespace gallery::api

// SPDX-License-Identifier: Apache-2.0
#include "api/openapi.hpp"

#include "http/html.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <memory>
#include <utility>

namespace gallery::api {
namespace {

namespace json = boost::json;

constexpr std::string_view style =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2933;"
    "background:#fff}h2{margin-top:2.5rem}details{border-top:1px solid #cbd2d9;padding:.5rem "
    "0}summary{cursor:pointer}"
    "code{font-family:ui-monospace,monospace}.m{display:inline-block;min-width:4.5rem;font-weight:700}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{text-align:left;padding:.2rem 1rem .2rem "
    "0;vertical-align:top}"
    "pre{background:#f5f7fa;padding:.75rem;overflow:auto}"
    "@media(prefers-color-scheme:dark){body{color:#e4e7eb;background:#16191d}pre{background:#22272e}"
    "details{border-color:#3e4c59}a{color:#8ab4f8}}";

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// "#/components/schemas/Error" -> Error
std::string last_segment(std::string_view reference) {
    return std::string(reference.substr(reference.rfind('/') + 1));
}

std::string describe_schema(const json::value& schema) {
    const auto& object = schema.as_object();
    if (const auto reference = text_of(object, "$ref"); !reference.empty()) return last_segment(reference);
    if (const auto* values = object.if_contains("enum")) return json::serialize(*values);
    const auto type = text_of(object, "type");
    return type.empty() ? json::serialize(schema) : type;
}

void append_parameters(std::string& out, const json::value& parameters) {
    out += "<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>";
    for (const auto& each : parameters.as_array()) {
        const auto& parameter = each.as_object();
        out += "<tr><td><code>";
        out += http::escape_html(text_of(parameter, "name"));
        out += "</code></td><td>";
        out += http::escape_html(text_of(parameter, "in"));
        out += parameter.at("required").as_bool() ? ", required</td><td>" : "</td><td>";
        out += http::escape_html(describe_schema(parameter.at("schema")));
        out += "</td><td>";
        out += http::escape_html(text_of(parameter, "description"));
        out += "</td></tr>";
    }
    out += "</table>";
}

void append_content(std::string& out, const json::object& holder) {
    const auto* content = holder.if_contains("content");
    if (content == nullptr) return;
    for (const auto& [media_type, described] : content->as_object()) {
        out += " <code>";
        out += http::escape_html(media_type);
        out += "</code> ";
        const auto& schema = described.at("schema");
        const auto name = describe_schema(schema);
        if (schema.as_object().contains("$ref")) {
            out += "<a href=\"#schema-" + name + "\">" + name + "</a>";
        } else if (name == "object") {
            out += "<pre>";
            out += http::escape_html(json::serialize(schema.as_object().at("properties")));
            out += "</pre>";
        }
    }
}

void append_operation(std::string& out, std::string_view verb, std::string_view path,
                      const json::object& operation, const json::object& shared_responses) {
    out += "<details><summary><span class=m>";
    for (const char c : verb)
        out += static_cast<char>(c - 32);
    out += "</span><code>";
    out += http::escape_html(path);
    out += "</code> ";
    out += http::escape_html(text_of(operation, "summary"));
    out += "</summary>";
    if (const auto* parameters = operation.if_contains("parameters")) append_parameters(out, *parameters);
    if (const auto* body = operation.if_contains("requestBody")) {
        out += "<p>Body:";
        append_content(out, body->as_object());
        out += "</p>";
    }
    out += "<table>";
    for (const auto& [status, each] : operation.at("responses").as_object()) {
        const auto* answer = &each.as_object();
        if (const auto reference = text_of(*answer, "$ref"); !reference.empty())
            answer = &shared_responses.at(last_segment(reference)).as_object();
        out += "<tr><td>";
        out += http::escape_html(status);
        out += "</td><td>";
        out += http::escape_html(text_of(*answer, "description"));
        append_content(out, *answer);
        out += "</td></tr>";
    }
    out += "</table></details>";
}

http::response description(std::string_view media_type, const gallery::body& content) {
    auto out = http::response::bytes(200, media_type, content);
    out.add("Cache-Control", "no-cache");
    out.add("X-Content-Type-Options", "nosniff");
    out.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    return out;
}

task<result<http::response>> document(const openapi_services& services, http::request&) {
    co_return description("application/json", services.document);
}

task<result<http::response>> page(const openapi_services& services, http::request&) {
    co_return description("text/html; charset=utf-8", services.page);
}

constexpr endpoint<openapi_services> endpoints[] = {
    {http::method::get, "/v3/api-docs", "openapi.document", body_kind::none, allow<everyone, document>},
    {http::method::get, "/swagger-ui", "openapi.page", body_kind::none, allow<everyone, page>},
};

}  // namespace

std::string render_openapi_page(std::string_view document) {
    const auto parsed = json::parse({document.data(), document.size()});
    const auto& root = parsed.as_object();
    const auto& components = root.at("components").as_object();
    const auto& responses = components.at("responses").as_object();
    std::string out =
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
        "content=\"width=device-width,initial-scale=1\"><title>Gallery API</title><style>";
    out += style;
    out += "</style><h1>Gallery API</h1><p>";
    out += http::escape_html(text_of(root.at("info").as_object(), "summary"));
    out += " The same for programs: <a href=\"/v3/api-docs\">/v3/api-docs</a>.</p>";
    for (const auto& tag : root.at("tags").as_array()) {
        const auto name = text_of(tag.as_object(), "name");
        out += "<h2>" + name + "</h2>";
        for (const auto& [path, operations] : root.at("paths").as_object()) {
            for (const auto& [verb, operation] : operations.as_object()) {
                const auto& described = operation.as_object();
                if (described.at("tags").as_array().front().as_string() == json::string_view(name))
                    append_operation(out, verb, path, described, responses);
            }
        }
    }
    out += "<h2>Shapes</h2>";
    for (const auto& [name, schema] : components.at("schemas").as_object()) {
        out += "<details id=\"schema-";
        out += http::escape_html(name);
        out += "\"><summary><code>";
        out += http::escape_html(name);
        out += "</code></summary><pre>";
        out += http::escape_html(json::serialize(schema));
        out += "</pre></details>";
    }
    return out + "</html>";
}

openapi_services::openapi_services()
    : document(bytes::permanent(openapi_document())),
      page(bytes::own(render_openapi_page(openapi_document()))) {}

std::span<const endpoint<openapi_services>> openapi_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api

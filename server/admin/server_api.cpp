// SPDX-License-Identifier: Apache-2.0
#include "admin/server_api.hpp"

#include "admin/secrets.hpp"
#include "http/percent.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr int page_size = 1000;
constexpr int most_pages = 10'000;
constexpr int token_has_expired = 11;
/// How often a request is repeated that a busy server has refused.
constexpr int most_waits = 30;
constexpr const char* json_type = "application/json";

exit_code code_of(const http_answer& answer) {
    const int status = answer.status;
    switch (status) {
        case 401:
        case 403:
            return exit_code::not_permitted;
        case 404:
            return exit_code::not_found;
        case 429:
            return exit_code::try_later;
        case 503:
            // Without Retry-After the change may have been made, or an operator must act first.
            return answer.may_repeat ? exit_code::try_later : exit_code::server_fault;
        default:
            return status >= 500 ? exit_code::server_fault : exit_code::refused;
    }
}

}  // namespace

server_api::server_api(http_client http, credentials who, service what)
    : http_(std::move(http)), who_(std::move(who)), what_(std::move(what)) {}

outcome<server_api> server_api::for_many() {
    if (auto in = log_in(); !in) return in.error();
    server_api copy(*this);
    copy.http_.keep_alive = true;
    copy.patient_ = true;
    return copy;
}

std::string server_api::as_whom() const {
    if (!who_.token.empty()) return "with the token in " + what_.variables + "_TOKEN";
    return who_.api_key.empty() ? "as " + who_.user : "with the API key in " + what_.variables + "_API_KEY";
}

failure server_api::not_such_a_server(const std::string& why) const {
    return {exit_code::unreachable,
            "the program that answers at " + http_.where.text + " is not " + what_.program + why};
}

failure server_api::refusal(const http_answer& answer) const {
    failure out;
    out.status = answer.status;
    json::error_code failed;
    const auto parsed = json::parse(answer.body, failed);
    const auto* const object = failed ? nullptr : parsed.if_object();
    const auto* const message = object == nullptr ? nullptr : object->if_contains("message");
    if (message == nullptr || !message->is_string()) {
        const auto status = out.status;
        out = not_such_a_server(" (HTTP " + std::to_string(status) + ")");
        out.status = status;
        if (!answer.location.empty()) out.message += "; it redirects to " + answer.location;
        return out;
    }
    if (const auto* code = object->if_contains("errorCode"); code != nullptr && code->is_int64()) {
        out.error_code = static_cast<int>(code->get_int64());
    }
    out.code = code_of(answer);
    out.message = std::string(message->get_string());
    if (out.code == exit_code::not_permitted) out.message += " (" + as_whom() + ")";
    return out;
}

outcome<http_answer> server_api::send(http_request asked) {
    if (auto in = log_in(); !in) return in.error();
    bool renewed = false;
    for (int waits = 0;;) {
        asked.authorization = authorization_;
        auto answer = http_.send(asked);
        if (!answer) return answer.error();
        if (answer->status >= 200 && answer->status <= 299) return answer;
        auto refused = refusal(*answer);
        const bool expired = refused.status == 401 && refused.error_code == token_has_expired;
        if (expired && !who_.password.empty() && !renewed) {
            renewed = true;
            authorization_.clear();
            if (auto in = log_in(); !in) return in.error();
            continue;
        }
        // ThingsBoard does not say after how long.
        const bool is_busy = refused.status == 429 || (refused.status == 503 && answer->may_repeat);
        if (!patient_ || !is_busy || waits++ == most_waits) return refused;
        std::this_thread::sleep_for(
            std::clamp(answer->retry_after, std::chrono::seconds(1), std::chrono::seconds(10)));
    }
}

outcome<std::string> server_api::send_text(http_request asked) {
    auto answer = send(std::move(asked));
    if (!answer) return answer.error();
    return std::move(answer->body);
}

outcome<json::value> server_api::send_json(http_request asked) {
    const auto answer = send(std::move(asked));
    if (!answer) return answer.error();
    return read_json(answer->body);
}

outcome<json::value> server_api::read_json(const std::string& text) const {
    if (text.empty()) return json::value(nullptr);
    json::error_code failed;
    auto value = json::parse(text, failed);
    if (failed) return not_such_a_server(": its response is not JSON");
    return value;
}

outcome<std::string> server_api::read_password() {
    if (who_.password_from_stdin || (what_.asks_for_password && is_interactive())) {
        return read_secret_line("Password of " + who_.user, "login's password");
    }
    return failure{exit_code::configuration,
                   "there is no password for " + who_.user + ": set " + what_.variables + "_PASSWORD" +
                       (what_.asks_for_password ? ", or pass it with --login-password-stdin" : "")};
}

outcome<> server_api::log_in() {
    if (!authorization_.empty()) return {};
    if (!who_.token.empty()) {
        authorization_ = "Bearer " + who_.token;
        return {};
    }
    if (!who_.api_key.empty()) {
        authorization_ = "ApiKey " + who_.api_key;
        return {};
    }
    if (who_.user.empty()) {
        const auto& begin = what_.variables;
        return failure{exit_code::configuration,
                       "there are no credentials: set " + begin + "_API_KEY, or " + begin + "_USER and " +
                           begin + "_PASSWORD, or " +
                           (what_.asks_for_password ? "use --login EMAIL" : begin + "_TOKEN")};
    }
    if (who_.password.empty()) {
        auto read = read_password();
        if (!read) return read.error();
        who_.password = std::move(*read);
    }
    http_request asked;
    asked.method = "POST";
    asked.target = "/api/auth/login";
    asked.body = json::serialize(json::object{{"username", who_.user}, {"password", who_.password}});
    const auto answer = http_.send(asked);
    if (!answer) return answer.error();
    if (answer->status != 200) return refusal(*answer);
    json::error_code failed;
    const auto pair = json::parse(answer->body, failed);
    const auto* const token = failed || !pair.is_object() ? nullptr : pair.get_object().if_contains("token");
    if (token == nullptr || !token->is_string()) return not_such_a_server("");
    authorization_ = "Bearer " + std::string(token->get_string());
    return {};
}

outcome<json::value> server_api::get(const std::string& target) {
    return send_json({"GET", target, {}, {}, {}});
}

outcome<json::value> server_api::post(const std::string& target, const json::value& body) {
    return send_json({"POST", target, {}, json::serialize(body), json_type});
}

outcome<json::value> server_api::put(const std::string& target, const json::value& body) {
    return send_json({"PUT", target, {}, json::serialize(body), json_type});
}

outcome<json::value> server_api::erase(const std::string& target) {
    return send_json({"DELETE", target, {}, {}, {}});
}

outcome<std::string> server_api::get_text(const std::string& target) {
    return send_text({"GET", target, {}, {}, {}});
}

outcome<std::string> server_api::post_text(const std::string& target, std::string body) {
    return send_text({"POST", target, {}, std::move(body), json_type});
}

namespace {

outcome<json::object> as_object(outcome<json::value> answer) {
    if (!answer) return answer.error();
    if (!answer->is_object())
        return failure{exit_code::unreachable, "the server's response is not a JSON object"};
    return std::move(answer->get_object());
}

}  // namespace

outcome<json::object> server_api::get_object(const std::string& target) {
    return as_object(get(target));
}

outcome<tagged_object> server_api::get_tagged(const std::string& target) {
    auto answer = send({"GET", target, {}, {}, {}});
    if (!answer) return answer.error();
    auto object = as_object(read_json(answer->body));
    if (!object) return object.error();
    if (answer->etag.empty()) {
        return not_such_a_server(
            " of this version: its response has no ETag, so a change could undo one that somebody else makes "
            "at the same time");
    }
    return tagged_object{std::move(*object), std::move(answer->etag)};
}

outcome<json::object> server_api::post_object(const std::string& target, const json::value& body) {
    return as_object(post(target, body));
}

outcome<json::object> server_api::put_text(const std::string& target, std::string body,
                                           const std::optional<std::string>& etag) {
    http_request asked{"PUT", target, {}, std::move(body), json_type};
    if (etag && etag->empty()) asked.fields.emplace_back("If-None-Match", "*");
    if (etag && !etag->empty()) asked.fields.emplace_back("If-Match", '"' + *etag + '"');
    return as_object(send_json(std::move(asked)));
}

outcome<json::object> server_api::send_form(const std::string& method, const std::string& target,
                                            std::string content_type, std::string body) {
    return as_object(send_json({method, target, {}, std::move(body), std::move(content_type)}));
}

outcome<json::array> server_api::list(const std::string& target, std::string_view property,
                                      std::string_view search) {
    auto query = target + "?sortOrder=ASC&sortProperty=" + std::string(property);
    if (!search.empty()) query += "&textSearch=" + http::percent_encode(search);
    return pages(query);
}

outcome<json::array> server_api::pages(const std::string& target) {
    json::array out;
    for (int page = 0;; ++page) {
        auto answer =
            get_object(target + "&pageSize=" + std::to_string(page_size) + "&page=" + std::to_string(page));
        if (!answer) return answer.error();
        auto* const data = answer->if_contains("data");
        if (data == nullptr || !data->is_array()) {
            return failure{exit_code::unreachable, "the server's response is not a page of a list"};
        }
        const bool is_empty = data->get_array().empty();
        for (auto& one : data->get_array()) {
            if (one.is_object()) out.push_back(std::move(one));
        }
        const auto* const more = answer->if_contains("hasNext");
        if (more == nullptr || *more != true) return out;
        if (is_empty || page == most_pages)
            return failure{exit_code::unreachable,
                           "the server's list does not end (page " + std::to_string(page) + ")"};
    }
}

outcome<bool> server_api::is_ready(bool writes) {
    const auto answer = http_.send({"GET", writes ? "/health/ready?for=write" : "/health/ready", {}, {}, {}});
    if (!answer) return answer.error();
    // A proxy without a ready server sends 503, too.
    if (answer->status == 503) return false;
    if (answer->status != 200 || answer->body != R"({"status":"UP"})")
        return not_such_a_server(" (HTTP " + std::to_string(answer->status) + ")");
    return true;
}

outcome<json::object> server_api::me() {
    if (!me_) {
        auto asked = get_object("/api/auth/user");
        if (!asked) return asked.error();
        me_ = std::move(*asked);
    }
    return *me_;
}

}  // namespace gallery::admin

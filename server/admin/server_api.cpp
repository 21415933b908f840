// SPDX-License-Identifier: Apache-2.0
#include "admin/server_api.hpp"

#include "admin/secrets.hpp"
#include "http/percent.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr int page_size = 1000;

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

server_api::server_api(http_client http, credentials who) : http_(std::move(http)), who_(std::move(who)) {}

std::string server_api::as_whom() const {
    return who_.api_key.empty() ? "as " + who_.user : "with the API key in GALLERY_API_KEY";
}

failure server_api::refusal(const http_answer& answer) const {
    failure out;
    out.status = answer.status;
    json::error_code failed;
    const auto parsed = json::parse(answer.body, failed);
    const auto* const object = failed ? nullptr : parsed.if_object();
    const auto* const message = object == nullptr ? nullptr : object->if_contains("message");
    if (message == nullptr || !message->is_string()) {
        out.code = exit_code::unreachable;
        out.message = "the program that answers at " + http_.where.text + " is not a gallery server (HTTP " +
                      std::to_string(answer.status) + ")";
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

outcome<std::string> server_api::send(http_request asked) {
    if (auto in = log_in(); !in) return in.error();
    asked.authorization = authorization_;
    auto answer = http_.send(asked);
    if (!answer) return answer.error();
    if (answer->status < 200 || answer->status > 299) return refusal(*answer);
    return std::move(answer->body);
}

outcome<json::value> server_api::send_json(http_request asked) {
    auto text = send(std::move(asked));
    if (!text) return text.error();
    if (text->empty()) return json::value(nullptr);
    json::error_code failed;
    auto value = json::parse(*text, failed);
    if (failed) {
        return failure{exit_code::unreachable, "the program that answers at " + http_.where.text +
                                                   " is not a gallery server: its response is not JSON"};
    }
    return value;
}

outcome<std::string> server_api::read_password() {
    if (who_.password_from_stdin || is_interactive()) {
        return read_secret_line("Password of " + who_.user, "login's password");
    }
    return failure{exit_code::configuration,
                   "there is no password for " + who_.user +
                       ": set GALLERY_PASSWORD, or pass it with --login-password-stdin"};
}

outcome<> server_api::log_in() {
    if (!authorization_.empty()) return {};
    if (!who_.api_key.empty()) {
        authorization_ = "ApiKey " + who_.api_key;
        return {};
    }
    if (who_.user.empty()) {
        return failure{exit_code::configuration,
                       "there are no credentials: set GALLERY_API_KEY, or GALLERY_USER and GALLERY_PASSWORD, "
                       "or use --login EMAIL"};
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
    if (token == nullptr || !token->is_string()) {
        return failure{exit_code::unreachable,
                       "the program that answers at " + http_.where.text + " is not a gallery server"};
    }
    authorization_ = "Bearer " + std::string(token->get_string());
    return {};
}

outcome<json::value> server_api::get(const std::string& target) {
    return send_json({"GET", target, {}, {}});
}

outcome<json::value> server_api::post(const std::string& target, const json::value& body) {
    return send_json({"POST", target, {}, json::serialize(body)});
}

outcome<json::value> server_api::put(const std::string& target, const json::value& body) {
    return send_json({"PUT", target, {}, json::serialize(body)});
}

outcome<json::value> server_api::erase(const std::string& target) {
    return send_json({"DELETE", target, {}, {}});
}

outcome<std::string> server_api::get_text(const std::string& target) {
    return send({"GET", target, {}, {}});
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

outcome<json::object> server_api::post_object(const std::string& target, const json::value& body) {
    return as_object(post(target, body));
}

outcome<json::array> server_api::list(const std::string& target, std::string_view property,
                                      std::string_view search) {
    json::array out;
    for (int page = 0;; ++page) {
        auto query = target + "?pageSize=" + std::to_string(page_size) + "&page=" + std::to_string(page) +
                     "&sortOrder=ASC&sortProperty=" + std::string(property);
        if (!search.empty()) query += "&textSearch=" + http::percent_encode(search);
        auto answer = get_object(query);
        if (!answer) return answer.error();
        auto* const data = answer->if_contains("data");
        if (data == nullptr || !data->is_array()) {
            return failure{exit_code::unreachable, "the server's response is not a page of a list"};
        }
        for (auto& one : data->get_array()) {
            if (one.is_object()) out.push_back(std::move(one));
        }
        const auto* const more = answer->if_contains("hasNext");
        if (more == nullptr || *more != true) return out;
    }
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

// SPDX-License-Identifier: Apache-2.0
/// The server's API as the commands use it: who they are, JSON in and out, failures with what to do.
#pragma once

#include "admin/failure.hpp"
#include "admin/http_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gallery::admin {

/// As whom. Either a key or a name.
struct credentials {
    std::string api_key;
    std::string user;
    std::string password;  ///< empty: it is read when it is needed
    bool password_from_stdin = false;
    std::string token = {};  ///< instead of all these: an access token that was issued before
};

/// How failures name the server and the settings that lead to it.
struct service {
    std::string program = "a gallery server";
    std::string variables = "GALLERY";  ///< what the names of its environment variables begin with
    bool asks_for_password = true;      ///< on a terminal
};

/// What a server answers, and the ETag of it.
struct tagged_object {
    boost::json::object value;
    std::string etag;
};

/// The status of an answer to a change whose condition does not hold.
inline constexpr int precondition_failed = 412;

class server_api {
public:
    server_api(http_client http, credentials who, service what = {});

    /// For many requests in a row, from a thread of its own: a copy that is logged in, keeps its connection,
    /// and waits where the server says that it is busy. Failures: those of log_in().
    outcome<server_api> for_many();

    /// Logs in, once; each request does so by itself where it was not done. Reads the password where it is
    /// not known, so do it before anything else is read. Failures: not_permitted, configuration, those of
    /// requests.
    outcome<> log_in();

    /// The next request logs in again: for commands that take longer than a token is valid.
    void forget_login() { authorization_.clear(); }

    /// The password with which log_in() succeeded; empty with a key.
    [[nodiscard]] const std::string& password() const noexcept { return who_.password; }
    [[nodiscard]] bool has_api_key() const noexcept { return !who_.api_key.empty(); }
    /// The value of X-Authorization; empty before log_in().
    [[nodiscard]] const std::string& authorization() const noexcept { return authorization_; }
    /// Where the server is.
    [[nodiscard]] const http_client& client() const noexcept { return http_; }
    [[nodiscard]] std::chrono::seconds timeout() const noexcept { return http_.timeout; }

    /// @p target is percent-encoded. An answer without a body is null. Failures: unreachable; as the server's
    /// status has it (see exit_code).
    outcome<boost::json::value> get(const std::string& target);
    outcome<boost::json::value> post(const std::string& target, const boost::json::value& body);
    outcome<boost::json::value> put(const std::string& target, const boost::json::value& body);
    outcome<boost::json::value> erase(const std::string& target);
    /// An answer that is text, not JSON.
    outcome<std::string> get_text(const std::string& target);
    /// A body that is JSON already; the answer as it is.
    outcome<std::string> post_text(const std::string& target, std::string body);
    /// A body that is JSON already. @p etag: only if the image, or its info, has it (If-Match); empty: only
    /// if there is no such image (If-None-Match); none: in any case. Failure: refused, with the status 412.
    outcome<boost::json::object> put_text(const std::string& target, std::string body,
                                          const std::optional<std::string>& etag = {});
    /// A body of any type.
    outcome<boost::json::object> send_form(const std::string& method, const std::string& target,
                                           std::string content_type, std::string body);

    /// An answer that is an object.
    outcome<boost::json::object> get_object(const std::string& target);
    outcome<boost::json::object> post_object(const std::string& target, const boost::json::value& body);

    /// The same with its ETag, for the condition of a change. Failure: unreachable if there is none.
    outcome<tagged_object> get_tagged(const std::string& target);

    /// All pages of a list; @p target has a query already. Failures: those of requests; unreachable for a
    /// list that does not end.
    outcome<boost::json::array> pages(const std::string& target);
    /// All pages of a list, sorted by @p property; only what has @p search in its name, unless that is empty.
    outcome<boost::json::array> list(const std::string& target, std::string_view property,
                                     std::string_view search);

    /// Whether the server answers requests and, for @p writes, its store accepts them. Requires no login.
    /// Failure: unreachable.
    outcome<bool> is_ready(bool writes);

    /// The account that is logged in; asked for once.
    outcome<boost::json::object> me();

private:
    outcome<std::string> read_password();
    outcome<http_answer> send(http_request asked);
    outcome<std::string> send_text(http_request asked);
    outcome<boost::json::value> send_json(http_request asked);
    [[nodiscard]] outcome<boost::json::value> read_json(const std::string& text) const;
    [[nodiscard]] failure not_such_a_server(const std::string& why) const;
    [[nodiscard]] failure refusal(const http_answer& answer) const;
    [[nodiscard]] std::string as_whom() const;

    http_client http_;
    credentials who_;
    service what_;
    bool patient_ = false;
    std::string authorization_;
    std::optional<boost::json::object> me_;
};

}  // namespace gallery::admin

// SPDX-License-Identifier: Apache-2.0
/// The server's API as the commands use it: who they are, JSON in and out, failures with what to do.
#pragma once

#include "admin/failure.hpp"
#include "admin/http_client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

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
};

class server_api {
public:
    server_api(http_client http, credentials who);

    /// Logs in, once; each request does so by itself where it was not done. Reads the password where it is
    /// not known, so do it before anything else is read. Failures: not_permitted, configuration, those of
    /// requests.
    outcome<> log_in();

    /// The next request logs in again: for commands that take longer than a token is valid.
    void forget_login() { authorization_.clear(); }

    /// The password with which log_in() succeeded; empty with a key.
    [[nodiscard]] const std::string& password() const noexcept { return who_.password; }
    [[nodiscard]] bool has_api_key() const noexcept { return !who_.api_key.empty(); }

    /// @p target is percent-encoded. An answer without a body is null. Failures: unreachable; as the server's
    /// status has it (see exit_code).
    outcome<boost::json::value> get(const std::string& target);
    outcome<boost::json::value> post(const std::string& target, const boost::json::value& body);
    outcome<boost::json::value> put(const std::string& target, const boost::json::value& body);
    outcome<boost::json::value> erase(const std::string& target);
    /// An answer that is text, not JSON.
    outcome<std::string> get_text(const std::string& target);

    /// An answer that is an object.
    outcome<boost::json::object> get_object(const std::string& target);
    outcome<boost::json::object> post_object(const std::string& target, const boost::json::value& body);

    /// All pages of a list, sorted by @p property; only what has @p search in its name, unless that is empty.
    outcome<boost::json::array> list(const std::string& target, std::string_view property,
                                     std::string_view search);

    /// The account that is logged in; asked for once.
    outcome<boost::json::object> me();

private:
    outcome<std::string> read_password();
    outcome<std::string> send(http_request asked);
    outcome<boost::json::value> send_json(http_request asked);
    [[nodiscard]] failure refusal(const http_answer& answer) const;
    [[nodiscard]] std::string as_whom() const;

    http_client http_;
    credentials who_;
    std::string authorization_;
    std::optional<boost::json::object> me_;
};

}  // namespace gallery::admin

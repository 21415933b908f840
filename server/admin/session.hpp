// SPDX-License-Identifier: Apache-2.0
/// What a command works with.
#pragma once

#include "admin/arguments.hpp"
#include "admin/output.hpp"
#include "admin/server_api.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace gallery::admin {

class session {
public:
    const command& what;
    const arguments& given;
    server_api& server;
    const printer& out;

    [[nodiscard]] const std::string& operand(std::size_t i) const { return given.operands[i]; }
    [[nodiscard]] bool has_operand(std::size_t i) const { return i < given.operands.size(); }
    [[nodiscard]] std::string search() const { return given.value("--search").value_or(""); }
};

/// Wrong use that the tables cannot see.
failure usage(std::string message);

/// Puts the values of the options that just set a member of the resource into it. Returns how many.
std::size_t apply_fields(const session& in, boost::json::object& to);

/// {"entityType": type, "id": id}
boost::json::object entity(std::string_view type, std::string_view id);

/// Succeeds if --yes was given or the user at the terminal agrees. Failure: usage.
outcome<> consent(const session& in, const std::string& question);

struct new_password {
    std::string text;
    bool generated = false;
};

/// Passwords are asked for where there is no option for them: always, never.
enum class ask { never, on_terminal };

/// The password of --password-stdin, --generate-password or the user at the terminal, checked by the
/// server's rule; empty where none is given and @p how is never. Logs in first, since a login's password
/// comes before on standard input. Failures: usage; those of the login.
outcome<std::optional<new_password>> choose_password(session& in, ask how);

}  // namespace gallery::admin

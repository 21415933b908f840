// SPDX-License-Identifier: Apache-2.0
/// Connection strings that a user of the gallery has given (gallery::confinement).
///
/// libpq takes everything that a connection string lacks from the environment, from files in the home folder
/// of the server's user (passwords, certificates, services), and from the name of that user. Some keywords
/// name further files. A hostile string would so send a password of the server to a machine of its choice.
/// Therefore only known keywords are accepted, the string must contain host, user and password, and every
/// keyword that libpq looks up elsewhere is given a value.
#pragma once

#include <gallery/error.hpp>
#include <gallery/plugin.hpp>

#include <map>
#include <string>

namespace gallery::postgres {

/// @p given: the keywords of the string with their values. Error: invalid_argument, without the values.
result<void> check_confined_keywords(const std::map<std::string, std::string>& given);

/// @p one: the keywords for one server. Its host and its address must be allowed. Errors: invalid_argument if
/// it has neither, permission_denied.
result<void> check_confined_host(const std::map<std::string, std::string>& one, const confinement& allowed);

/// @p one, with a value for every keyword that libpq would look up elsewhere.
std::map<std::string, std::string> with_explicit_values(std::map<std::string, std::string> one);

}  // namespace gallery::postgres

// SPDX-License-Identifier: Apache-2.0
/// How a command of gallery-admin ends. Failures are values, as everywhere; here they carry the exit code.
#pragma once

#include <boost/system/result.hpp>

#include <string>

namespace gallery::admin {

/// What the shell sees. Those from 64 on are those of sysexits.h.
enum class exit_code : int {
    done = 0,
    refused = 1,         ///< the server refused it: a taken name, a wrong value, a conflict
    too_slow = 2,        ///< gallery-load: a threshold does not hold
    not_found = 3,       ///< no such tenant, user, customer, key; or a name that several have
    usage = 64,          ///< the command line is wrong; the server was not asked
    unreachable = 69,    ///< no server answers there, or none that can be trusted
    server_fault = 70,   ///< the server failed
    output = 74,         ///< what was done could not be printed
    try_later = 75,      ///< too many tries, or the server is busy
    not_permitted = 77,  ///< wrong credentials, or a missing permission
    configuration = 78,  ///< no credentials, or a wrong value in the environment
};

struct failure {
    exit_code code = exit_code::server_fault;
    std::string message;  ///< what was wrong, with what, and what to do
    int status = 0;       ///< HTTP's, where the server answered
    int error_code = 0;   ///< ThingsBoard's, where the server said one
};

/// Whether a command that does the same with several operands would fail for the others, too.
inline bool concerns_all(const failure& what) noexcept {
    return what.code == exit_code::unreachable || what.code == exit_code::configuration ||
           what.code == exit_code::not_permitted;
}

template <class T = void>
using outcome = boost::system::result<T, failure>;

/// Found by Boost.System when value() is called on a failed outcome, which is a bug.
[[noreturn]] void throw_exception_from_error(const failure& f, const boost::source_location& where);

}  // namespace gallery::admin

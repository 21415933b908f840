// SPDX-License-Identifier: Apache-2.0
/// What went wrong in the database, and which error of the storage contract that is.
#pragma once

#include <gallery/error.hpp>

#include <string>
#include <string_view>

namespace gallery::postgres {

struct failure {
    std::string sqlstate;  ///< five characters, or empty where the connection failed without one
    std::string message;   ///< of the server or of libpq, in one line
    bool lost = false;     ///< the connection cannot be used any more

    /// Another attempt of the same transaction may succeed: a deadlock or a failed serialisation.
    [[nodiscard]] bool is_transient() const noexcept {
        return sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03";
    }
};

/// The server ends the session, or has become a standby: another connection is needed.
bool ends_connection(std::string_view sqlstate) noexcept;

/// @p doing completes "PostgreSQL failed while ...".
error to_error(const failure& what, std::string_view doing);

/// The same for a write that is known not to have happened: busy where that is unavailable, because
/// unavailable leaves the outcome open.
error not_done(const failure& what, std::string_view doing);

}  // namespace gallery::postgres

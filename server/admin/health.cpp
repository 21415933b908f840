// SPDX-License-Identifier: Apache-2.0
// gallery-admin health: whether a server answers requests, for health checks of containers and scripts.
#include "admin/commands.hpp"
#include "admin/session.hpp"

#include <array>

namespace gallery::admin {

namespace {

namespace json = boost::json;

outcome<> health(session& in) {
    const bool for_writes = in.given.has("--for-write");
    const auto ready = in.server.is_ready(for_writes);
    if (!ready) return ready.error();
    if (!*ready) {
        return failure{exit_code::try_later,
                       for_writes ? "the server is not ready, or its store accepts no writes: see its log"
                                  : "the server is not ready: it starts or stops, or its store cannot be "
                                    "read: see its log"};
    }
    in.out.done(for_writes ? "The server answers requests, and its store accepts writes."
                           : "The server answers requests.",
                json::object{{"status", "UP"}});
    return {};
}

constexpr std::array<option, 1> health_options{{
    {"--for-write", "", "fail also while the store does not accept writes"},
}};

constexpr std::array<command, 1> commands{{
    {"health", "", "check that the server answers requests",
     "Requests /health/ready and exits with 0 if the server is ready, 75 if it is not, and\n"
     "69 if no server answers. It requires no login.",
     "gallery-admin health --timeout 5", health_options, health},
}};

}  // namespace

std::span<const command> health_commands() {
    return commands;
}

}  // namespace gallery::admin

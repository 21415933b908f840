// SPDX-License-Identifier: Apache-2.0
#include "accounts/submitted.hpp"

namespace gallery::accounts {

result<void> check_version(const std::optional<std::int64_t>& given, std::int64_t current) {
    if (given && *given != current) {
        return error{errc::version_conflict, "It was changed by another user: it has version " +
                                                 std::to_string(current) + ", not " + std::to_string(*given) +
                                                 ". Read it again"};
    }
    return {};
}

}  // namespace gallery::accounts

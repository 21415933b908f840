// SPDX-License-Identifier: Apache-2.0
/// What the files of a store tell about its upgrade from version 0.1, read without the plugin.
#pragma once

#include <string>

namespace gallery::contract {

/// Version 0.1 opens a store whose format is 1 and refuses every other one.
enum class upgrade_state {
    not_begun,    ///< the format is 1
    in_progress,  ///< the format is a later one, and the upgrade is marked as not finished
    done,         ///< the format is a later one
};

/// Of the closed store in @p folder. Each engine has its own. Fails the test where the format is another one.
upgrade_state upgrade_state_of(const std::string& folder);

}  // namespace gallery::contract

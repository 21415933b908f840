// SPDX-License-Identifier: Apache-2.0
/// The commands of gallery-load.
#pragma once

#include "admin/command.hpp"

namespace gallery::load {

/// For admin::run(), admin::manual() and admin::completion().
const admin::program& load_program() noexcept;

}  // namespace gallery::load

// SPDX-License-Identifier: Apache-2.0
/// Errors of routes for system administrators.
#pragma once

#include <gallery/error.hpp>

namespace gallery::api {

/// The reason is for administrators, and so is sent. Without this, it would only be logged.
inline error shown_to_administrators(const error& e) {
    switch (e.code) {
        case errc::not_found:
        case errc::permission_denied:
        case errc::invalid_argument:
            return e;
        default:
            return {errc::invalid_argument, e.message};
    }
}

}  // namespace gallery::api

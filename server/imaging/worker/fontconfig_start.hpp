// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gallery::imaging::worker {

/// Loads fontconfig's configuration and its list of fonts. False where that fails. Precondition: single
/// thread.
///
/// fontconfig stores what it learns about folders of fonts in cache folders, and prints "No writable cache
/// directories" where it can write none of them, which is so for a service's user before the system's cache
/// was made. So it is given a temporary one, which is removed at once: the process must not leave files
/// behind, and later it could not write any.
bool fontconfig_start();

}  // namespace gallery::imaging::worker

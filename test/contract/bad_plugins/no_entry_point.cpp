// SPDX-License-Identifier: Apache-2.0
// A shared object that is no plugin.
extern "C" __attribute__((visibility("default"))) int some_other_function() noexcept {
    return 1;
}

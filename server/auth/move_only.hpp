// SPDX-License-Identifier: Apache-2.0
/// What cannot be copied: base of the proofs that a permission was checked.
#pragma once

namespace gallery::auth {

class move_only {
public:
    move_only(const move_only&) = delete;
    move_only& operator=(const move_only&) = delete;

protected:
    move_only() noexcept = default;
    move_only(move_only&&) noexcept = default;
    move_only& operator=(move_only&&) noexcept = default;
    ~move_only() = default;
};

}  // namespace gallery::auth

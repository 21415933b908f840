// SPDX-License-Identifier: Apache-2.0
/// Which client an address stands for, where failures and work are counted.
#pragma once

#include <string>
#include <string_view>

namespace gallery::auth {

/// An IPv4 address as it is; of an IPv6 address the first 64 bits, because a client has at least as many
/// addresses as the rest can number; an IPv4 address that is written as an IPv6 one as the former. Text that
/// is no address as it is, up to 64 characters.
std::string network_of(std::string_view address);

}  // namespace gallery::auth

// SPDX-License-Identifier: Apache-2.0
/// The key of an image in a path.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gallery::api {

/// A key that arrived percent-encoded once more than it had to, as of clients that encode a link which is
/// encoded already: what it is when it is decoded again. Empty where it has no escapes or does not make a
/// key. The key as it arrived is always tried first.
std::optional<std::string> key_decoded_again(std::string_view key);

}  // namespace gallery::api

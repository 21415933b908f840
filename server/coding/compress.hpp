// SPDX-License-Identifier: Apache-2.0
/// Compresses bodies for the wire.
#pragma once

#include "coding/content_coding.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gallery {

enum class effort : std::uint8_t {
    on_request,  ///< a client waits: beyond this, compressing takes more time than it saves on the wire
    once,        ///< for files that are compressed at start and sent often
};

/// In the calling thread, where it takes about 20 ms per MiB or more. Deterministic, so an ETag of the result
/// is the same after a restart. Empty if the result would not be smaller, and for identity.
std::optional<std::string> compress(std::string_view data, content_coding coding, effort how);

}  // namespace gallery

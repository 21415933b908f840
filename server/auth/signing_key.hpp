// SPDX-License-Identifier: Apache-2.0
/// Reads or creates the key that signs tokens.
#pragma once

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace gallery::auth {

/// HMAC-SHA-512 requires a key of at least the size of its output, in bytes (RFC 7518 section 3.2).
inline constexpr std::size_t min_signing_key_size = 64;

/// The key of a configured value: Base64 of at least 64 bytes, as in ThingsBoard. Error: invalid_argument,
/// with a command that generates one.
result<std::string> decode_signing_key(std::string_view base64);

/// The key that is kept in the store, for all servers on it. Where there is none, @p wanted becomes it, or a
/// random one where that is empty; of several servers that begin at once all take the one that won. Errors:
/// corrupt for a document that is no key, and those of the store.
task<result<std::string>> load_or_create_signing_key(document_store& store, std::string wanted);

/// A new one.
std::string random_signing_key();

/// The key that an earlier version kept in @p file: Base64 on one line, readable by its owner only. Empty
/// where there is no file. Blocks. Errors: invalid_argument for a file that others can read or that is no
/// key, io_error.
result<std::string> read_signing_key(const std::filesystem::path& file);

}  // namespace gallery::auth

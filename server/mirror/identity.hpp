// SPDX-License-Identifier: Apache-2.0
/// The identity of a store: a document with a random UUID that is written once and never copied. Engine and
/// folder do not identify a store, because another store can be put in the same place. Two stores of the same
/// identity exist only if the files of a store were copied.
#pragma once

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <string>
#include <string_view>

namespace gallery::mirror {

inline constexpr std::string_view identity_kind = "store";

/// Empty if the store has none. Errors: those of the store.
task<result<std::string>> find_identity(document_store& store);

/// The identity; it is written if the store has none. Errors: those of the store.
task<result<std::string>> ensure_identity(document_store& store);

}  // namespace gallery::mirror

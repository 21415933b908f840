// SPDX-License-Identifier: Apache-2.0
#include "mirror/identity.hpp"

#include <gallery/uuid.hpp>

#include <utility>

namespace gallery::mirror {

namespace {

constexpr const char* identity_id = "identity";

}  // namespace

task<result<std::string>> find_identity(document_store& store) {
    std::string kind(identity_kind);
    auto found = co_await store.find(std::move(kind), identity_id);
    if (found) co_return std::move(found->body);
    if (found.error().code == errc::not_found) co_return std::string();
    co_return found.error();
}

task<result<std::string>> ensure_identity(document_store& store) {
    auto known = co_await find_identity(store);
    if (!known || !known->empty()) co_return known;
    document created;
    created.kind = identity_kind;
    created.id = identity_id;
    created.body = to_string(random_uuid());
    const auto saved = co_await store.save(std::move(created), precondition::absent());
    if (!saved) co_return saved.error();
    // Another server on the store may have been first.
    co_return co_await find_identity(store);
}

}  // namespace gallery::mirror

// SPDX-License-Identifier: Apache-2.0
/// An engine in one class.
#pragma once

#include <gallery/storage.hpp>

namespace gallery::kit {

/// Base of an engine that is its own image store, document store and feed.
class single_store : public storage_engine, public image_store, public document_store, public change_feed {
public:
    image_store& images() noexcept final { return *this; }
    document_store& documents() noexcept final { return *this; }
    change_feed& feed() noexcept final { return *this; }
};

}  // namespace gallery::kit

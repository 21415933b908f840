// SPDX-License-Identifier: Apache-2.0
/// What a store should contain, kept in the simplest possible way.
#pragma once

#include <gallery/storage.hpp>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::contract {

/// Records as the store returned them, by tenant and key.
using model = std::map<std::pair<tenant_id, std::string>, image_record>;

/// The page that image_store::list owes for this content, computed by looking at everything.
struct expected_page {
    std::vector<image_id> images;
    std::uint64_t total = 0;
};
expected_page expect_page(const model& content, const image_query& query);

}  // namespace gallery::contract

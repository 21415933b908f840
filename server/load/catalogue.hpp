// SPDX-License-Identifier: Apache-2.0
/// The tenants and images that a run uses.
#pragma once

#include "load/versions.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace gallery::load {

struct seeded_image {
    std::string path;  ///< "/api/images/tenant/KEY", percent-encoded
    image_versions versions;
    std::size_t size_class = 0;  ///< which of the scenario's sizes it has
};

struct seeded_tenant {
    std::string id;
    std::string authorization;  ///< of its user; the value of the header
    std::vector<seeded_image> images;
};

struct catalogue {
    std::uint64_t run = 0;               ///< distinguishes the pictures of runs
    std::uint64_t pictures = 0;          ///< made so far
    std::vector<std::string> templates;  ///< a picture of each of the scenario's sizes
    std::vector<seeded_tenant> tenants;
};

}  // namespace gallery::load

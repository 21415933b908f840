// SPDX-License-Identifier: Apache-2.0
/// All fuzz targets by name. Inputs that once broke one, and seeds, are in corpus/<name>.
#pragma once

#include "document_targets.hpp"
#include "http_targets.hpp"
#include "limit_targets.hpp"

#include <array>
#include <string_view>

namespace gallery::fuzz {

struct target {
    std::string_view name;
    void (*run)(std::string_view input);
};

inline constexpr std::array targets = {
    target{"head", &http::fuzz::head},
    target{"chunked", &http::fuzz::chunked},
    target{"request", &http::fuzz::request},
    target{"multipart", &http::fuzz::multipart},
    target{"conditional", &http::fuzz::conditional},
    target{"range", &http::fuzz::range},
    target{"texts", &http::fuzz::texts},
    target{"forwarded", &http::fuzz::forwarded},
    target{"request_id", &http::fuzz::request_id},
    target{"import", &import_document},
    target{"pictures_in_json", &pictures_in_json},
    target{"token", &token},
    target{"base64", &base64},
    target{"configuration", &configuration},
    target{"rates", &rates},
    target{"profile_data", &profile_data},
    target{"picture", &picture},
    target{"svg", &svg},
};

}  // namespace gallery::fuzz

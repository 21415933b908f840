// SPDX-License-Identifier: Apache-2.0
/// The image resources of the API but for their bytes (image_bytes.hpp): upload, replace, info, list,
/// export, import, publish, delete.
#pragma once

#include "api/access.hpp"
#include "http/router.hpp"
#include "images/byte_budget.hpp"
#include "images/coded_bodies.hpp"
#include "images/image_service.hpp"
#include "images/permissions.hpp"

#include <cstdint>

namespace gallery::api {

inline constexpr std::uint64_t max_info_bytes = 64 * 1024;

/// What the three ways to bring a picture take, in bytes of the picture itself, whatever the form or the
/// base64 around it adds.
struct image_limits {
    std::uint64_t upload = 50 * 1024 * 1024;
    std::uint64_t replace = 50 * 1024 * 1024;
    std::uint64_t import = 50 * 1024 * 1024;
    /// Of the body that renames an image.
    std::uint64_t info = max_info_bytes;
};

/// All references must outlive it; used by all I/O threads.
class image_routes {
public:
    /// Large exports are written on @p background.
    image_routes(images::image_service& gallery, images::coded_bodies& coded, images::byte_budget& memory,
                 asio::thread_pool& background, verify_credentials verify, image_limits limits);

    void add_routes(http::router& routes);

private:
    task<http::response> upload(http::request& message);
    task<http::response> replace(http::request& message);
    task<http::response> import(http::request& message);
    task<http::response> info(http::request& message);
    task<http::response> rename(http::request& message);
    task<http::response> publish(http::request& message);
    task<http::response> export_one(http::request& message);
    task<http::response> list(http::request& message);
    task<http::response> erase(http::request& message);

    template <images::image_operation What>
    struct target {
        images::image_permit<What> may;
        std::string key;
    };
    /// The image that /api/images/{type}/{key} names, with proof that the sender may do that with it.
    template <images::image_operation What>
    task<result<target<What>>> resolve(http::request& message) const;
    /// The gallery that a SYS_ADMIN or TENANT_ADMIN uploads to and lists, likewise.
    template <images::image_operation What>
    result<images::image_permit<What>> own_gallery(http::request& message) const;

    images::image_service& gallery_;
    images::coded_bodies& coded_;
    images::byte_budget& memory_;
    asio::thread_pool& background_;
    verify_credentials verify_;
    image_limits limits_;
};

}  // namespace gallery::api

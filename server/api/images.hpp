/// The image resources of the API but for their bytes (image_bytes.hpp): upload, replace, info, list,
/// export, import, publish, delete.
#pragma once

#include "api/access.hpp"
#include "gallery/byte_budget.hpp"
#include "gallery/coded_bodies.hpp"
#include "gallery/images.hpp"
#include "gallery/permissions.hpp"
#include "http/router.hpp"

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
class images {
public:
    /// Large exports are written on @p background.
    images(service::images& gallery, service::coded_bodies& coded, service::byte_budget& memory,
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

    struct target {
        tenant_id tenant;
        std::string key;
    };
    /// The image that /api/images/{type}/{key} names, if the sender may do that with it.
    task<result<target>> resolve(http::request& message, service::image_operation what) const;
    /// The gallery that a SYS_ADMIN or TENANT_ADMIN uploads to and lists.
    result<tenant_id> own_gallery(http::request& message, service::image_operation what) const;

    service::images& gallery_;
    service::coded_bodies& coded_;
    service::byte_budget& memory_;
    asio::thread_pool& background_;
    verify_credentials verify_;
    image_limits limits_;
};

}  // namespace gallery::api

// SPDX-License-Identifier: Apache-2.0
/// The configuration of the server: etc/gallery.yml as validated values. Every member is named after its key
/// in that file, which describes it. The values of a settings object from load() are within the ranges stated
/// here. Paths are as written; relative ones are not resolved.
#pragma once

#include "config/networks.hpp"
#include "config/payload_limits.hpp"

#include <gallery/log_level.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace gallery::config {

struct ssl_settings {
    bool enabled = false;
    std::string cert_file;
    std::string key_file;      ///< empty: in cert_file
    std::string key_password;  ///< secret
    std::string ciphers;       ///< empty: the server's choice
    bool only_1_3 = false;     ///< no TLS 1.2
};

/// Lists as text; http::cross_origin parses them.
struct cors_settings {
    std::string allowed_origin_patterns;
    std::string allowed_methods;
    std::string allowed_headers;
    std::chrono::seconds max_age{};
    bool allow_credentials = false;
};

/// All of them longer than nothing.
struct timeout_settings {
    std::chrono::milliseconds header{};
    std::chrono::milliseconds body{};
    std::chrono::milliseconds write{};
    std::chrono::milliseconds keep_alive{};
    std::chrono::milliseconds drain{};  ///< may be 0: do not wait
};

struct server_settings {
    std::string address;  ///< an IPv4 or IPv6 address in text
    std::uint16_t port = 0;
    unsigned io_threads = 0;                       ///< at most 1,024; 0: one per core
    std::uint64_t max_connections = 0;             ///< 0: limited by open files only
    std::uint64_t max_connections_per_client = 0;  ///< 0: no limit
    std::string public_requests_per_client;        ///< accounts::parse_rates() reads it; empty: no limit
    std::string tcp_congestion_control;
    networks trusted_proxies;
    std::string base_path;  ///< as text; http::parse_path_prefix() parses it
    std::chrono::milliseconds hsts_max_age{};
    cors_settings cors;
    ssl_settings ssl;
    timeout_settings timeouts;
    std::string console_folder;
};

struct transport_settings {
    payload_limits max_payload_size;
    std::uint64_t upload_memory = 0;  ///< bytes, at least 1 MiB
    std::chrono::milliseconds upload_wait{};
};

struct metrics_settings {
    std::string address;
    std::uint16_t port = 0;     ///< 0: off
    std::uint32_t tenants = 0;  ///< that have metrics of their own, at most 10,000; 0: off
};

struct data_settings {
    std::string folder;
    std::string system_images_folder;
};

struct storage_settings {
    std::string plugin;
    std::string plugin_dir;
    std::string path;
    std::chrono::milliseconds scrub_interval{};  ///< 0: off
    std::uint64_t scrub_rate = 0;                ///< bytes per second; 0: no limit
    /// Each plugin's section under storage, flat; the plugin's schema defines its keys.
    std::map<std::string, std::map<std::string, std::string>> sections;
};

struct security_settings {
    std::chrono::seconds token_expiration_time{};          ///< at least 1
    std::chrono::seconds refresh_token_expiration_time{};  ///< at least 1
    std::string token_issuer;
    std::string token_signing_key;  ///< secret; the decoded bytes, at least 64, or empty
    bool accept_thingsboard_users = true;
    std::string sysadmin_email;
    std::string sysadmin_password;  ///< secret; empty: generate
    std::string demo_password;      ///< secret; empty: generate

    /// Whether users of a ThingsBoard server without an account here are accepted. That server has the key
    /// only if an operator gave it to both; a generated key is known only here.
    [[nodiscard]] bool admits_thingsboard_users() const noexcept {
        return accept_thingsboard_users && !token_signing_key.empty();
    }
};

struct cache_settings {
    std::chrono::minutes etag_time_to_live{};
    std::uint64_t etag_max_size = 0;  ///< bytes; 0: off
    std::chrono::minutes system_images_browser_ttl{};
    std::chrono::minutes tenant_images_browser_ttl{};
};

struct image_settings {
    std::uint64_t max_resource_size = 0;  ///< bytes; 0: no limit
    std::uint64_t max_pixels = 0;         ///< of one frame, at least 1
    std::uint64_t max_total_pixels = 0;   ///< over all frames, at least 1
    std::uint32_t max_frames = 0;         ///< of an animation, at least 1
    std::uint32_t max_queued = 0;         ///< images of one tenant that wait to be decoded, at least 1
    std::uint64_t max_svg_size = 0;       ///< bytes, at least 1
    unsigned workers = 0;                 ///< at most 256; 0: one per core
    std::chrono::milliseconds timeout{};
    std::uint64_t worker_memory = 0;  ///< bytes, at least 64 MiB
};

enum class log_format : std::uint8_t { text, json };
enum class access_log_format : std::uint8_t { off, combined, json };

struct access_log_settings {
    access_log_format format = access_log_format::off;
    std::string file;  ///< empty: standard output
};

struct logging_settings {
    log_level level = log_level::info;
    log_format format = log_format::text;
    access_log_settings access_log;
};

/// Of a store that several servers share; without effect on others.
struct cluster_settings {
    std::chrono::milliseconds staleness{};  ///< at least 50 ms
    bool strict = false;
    std::string node_address;  ///< as text; empty: made of the host's name and the server's port
};

struct mirror_settings {
    std::string allowed_paths;   ///< folders, separated by ':'; empty: the data folder
    std::string allowed_hosts;   ///< as in gallery::confinement, separated by ','; empty: none
    std::uint64_t at_once = 0;   ///< at least 1
    std::uint64_t max_rate = 0;  ///< bytes per second; 0: no limit
    std::chrono::milliseconds switch_timeout{};
};

struct settings {
    server_settings server;
    transport_settings transport;
    metrics_settings metrics;
    data_settings data;
    storage_settings storage;
    security_settings security;
    cache_settings cache;
    image_settings image;
    cluster_settings cluster;
    mirror_settings mirror;
    logging_settings logging;
};

}  // namespace gallery::config

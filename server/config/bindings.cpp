// SPDX-License-Identifier: Apache-2.0
#include "config/bindings.hpp"

#include "config/values.hpp"

#include <gallery/email.hpp>

#include <boost/asio/ip/address.hpp>

#include <limits>

namespace gallery::config {

namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::int64_t>::max();

/// Collects the table; each function adds one key.
class table {
public:
    std::vector<binding> rows;

    void add(const char* path, takes_effect when, std::string expected, setter set) {
        rows.push_back({.path = path, .expected = std::move(expected), .when = when, .set = std::move(set)});
    }

    template <class Member>
    void text(const char* path, takes_effect when, Member member, const char* expected = "text",
              bool (*valid)(std::string_view) = nullptr) {
        add(path, when, expected, [member, valid](settings& s, std::string_view value) {
            if (valid != nullptr && !valid(value)) return false;
            member(s) = std::string(value);
            return true;
        });
    }

    template <class Member>
    void secret(const char* path, takes_effect when, Member member, const char* expected = "text",
                bool (*valid)(std::string_view) = nullptr) {
        text(path, when, member, expected, valid);
        rows.back().secret = true;
    }

    /// The path of a file or folder.
    template <class Member>
    void file(const char* path, takes_effect when, Member member, const char* expected = "text",
              bool (*valid)(std::string_view) = nullptr) {
        text(path, when, member, expected, valid);
        rows.back().is_path = true;
    }

    template <class Member>
    void boolean(const char* path, takes_effect when, Member member) {
        add(path, when, "true or false", [member](settings& s, std::string_view value) {
            const auto parsed = parse_bool(value);
            if (parsed) member(s) = *parsed;
            return parsed.has_value();
        });
    }

    /// A number between two others, with or without a unit of size.
    template <class Member>
    void number(const char* path, takes_effect when, Member member, std::uint64_t least, std::uint64_t most) {
        ranged(path, when, member, least, most, &parse_unsigned,
               "a whole number " +
                   (most == no_limit ? "of at least " + std::to_string(least)
                                     : "between " + std::to_string(least) + " and " + std::to_string(most)));
    }
    template <class Member>
    void size(const char* path, takes_effect when, Member member, std::uint64_t least) {
        ranged(path, when, member, least, no_limit, &parse_size,
               std::string("a size in bytes or with a unit, for instance 64MiB") +
                   (least > 0 ? ", of at least " + std::to_string(least) + " bytes" : ""));
    }

    /// A duration with its unit.
    template <class Member>
    void duration(const char* path, takes_effect when, Member member, std::chrono::milliseconds least) {
        add(path, when,
            std::string("a duration with its unit, for instance 250ms, 30s or 5m") +
                (least.count() > 0 ? ", of at least " + std::to_string(least.count()) + "ms" : ""),
            [member, least](settings& s, std::string_view value) {
                const auto parsed = parse_duration(value);
                if (!parsed || *parsed < least) return false;
                member(s) = *parsed;
                return true;
            });
    }

    /// A plain number of the unit that the member is of.
    template <class Member>
    void count(const char* path, takes_effect when, Member member, std::uint64_t least, const char* unit) {
        using value_type = std::remove_reference_t<decltype(member(std::declval<settings&>()))>;
        // A hundred years of the finest unit here, seconds, and so within every clock.
        constexpr std::uint64_t most = 3'155'760'000;
        add(path, when,
            "a whole number of " + std::string(unit) + " between " + std::to_string(least) + " and " +
                std::to_string(most),
            [member, least](settings& s, std::string_view value) {
                const auto parsed = parse_unsigned(value);
                if (!parsed || *parsed < least || *parsed > most) return false;
                member(s) = value_type(static_cast<typename value_type::rep>(*parsed));
                return true;
            });
    }

    template <class Member, class Value, std::size_t Size>
    void choice(const char* path, takes_effect when, Member member, const name_table<Value, Size>& values) {
        add(path, when, values.choices(), [member, values](settings& s, std::string_view value) {
            const auto meaning = values.find(value);
            if (meaning) member(s) = *meaning;
            return meaning.has_value();
        });
    }

private:
    template <class Member, class Parse>
    void ranged(const char* path, takes_effect when, Member member, std::uint64_t least, std::uint64_t most,
                Parse parse, std::string expected) {
        using value_type = std::remove_reference_t<decltype(member(std::declval<settings&>()))>;
        add(path, when, std::move(expected),
            [member, least, most, parse](settings& s, std::string_view value) {
                const auto parsed = parse(value);
                if (!parsed || *parsed < least || *parsed > most) return false;
                member(s) = static_cast<value_type>(*parsed);
                return true;
            });
    }
};

bool is_address(std::string_view text) {
    boost::system::error_code failed;
    boost::asio::ip::make_address(std::string(text), failed);
    return !failed;
}

bool is_filled(std::string_view text) {
    return !text.empty();
}

bool is_password(std::string_view text) {
    return text.empty() || text.size() >= 6;
}

bool is_congestion_control(std::string_view text) {
    return text.size() < 16 && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == text.npos;
}

// NOLINTBEGIN(bugprone-macro-parentheses): what is named is a member
#define GALLERY_MEMBER(member)  \
    [](settings & s) -> auto& { \
        return s.member;        \
    }
// NOLINTEND(bugprone-macro-parentheses)

/// Each row says when a changed value is used, so that a new setting needs a decision. Whatever is not
/// at_restart is given to its part by gallery_server::parts::apply().
void add_server(table& t) {
    using enum takes_effect;
    t.text("server.address", at_restart, GALLERY_MEMBER(server.address), "an IPv4 or IPv6 address",
           &is_address);
    t.number("server.port", at_restart, GALLERY_MEMBER(server.port), 0, 65535);
    t.number("server.io_threads", at_restart, GALLERY_MEMBER(server.io_threads), 0, 1024);
    t.number("server.max_connections", next_connection, GALLERY_MEMBER(server.max_connections), 0, no_limit);
    t.number("server.max_connections_per_client", next_connection,
             GALLERY_MEMBER(server.max_connections_per_client), 0, no_limit);
    t.text("server.public_requests_per_client", next_request,
           GALLERY_MEMBER(server.public_requests_per_client));
    t.text("server.tcp_congestion_control", at_restart, GALLERY_MEMBER(server.tcp_congestion_control),
           "the name of a congestion control, for instance cubic, or an empty value", &is_congestion_control);
    t.add("server.trusted_proxies", next_request,
          "addresses and networks separated by ',', for instance 127.0.0.1,10.0.0.0/8, or an empty value",
          [](settings& s, std::string_view value) {
              auto parsed = networks::parse(value);
              if (parsed) s.server.trusted_proxies = std::move(*parsed);
              return parsed.has_value();
          });
    t.text("server.base_path", next_request, GALLERY_MEMBER(server.base_path));
    t.duration("server.hsts_max_age", next_request, GALLERY_MEMBER(server.hsts_max_age),
               std::chrono::milliseconds(0));
    t.text("server.cors.allowed_origin_patterns", next_request,
           GALLERY_MEMBER(server.cors.allowed_origin_patterns));
    t.text("server.cors.allowed_methods", next_request, GALLERY_MEMBER(server.cors.allowed_methods));
    t.text("server.cors.allowed_headers", next_request, GALLERY_MEMBER(server.cors.allowed_headers));
    t.count("server.cors.max_age", next_request, GALLERY_MEMBER(server.cors.max_age), 0, "seconds");
    t.boolean("server.cors.allow_credentials", next_request, GALLERY_MEMBER(server.cors.allow_credentials));
    t.boolean("server.ssl.enabled", at_restart, GALLERY_MEMBER(server.ssl.enabled));
    t.file("server.ssl.cert_file", next_connection, GALLERY_MEMBER(server.ssl.cert_file));
    t.file("server.ssl.key_file", next_connection, GALLERY_MEMBER(server.ssl.key_file));
    t.secret("server.ssl.key_password", next_connection, GALLERY_MEMBER(server.ssl.key_password));
    t.text("server.ssl.ciphers", next_connection, GALLERY_MEMBER(server.ssl.ciphers));
    t.choice("server.ssl.min_version", next_connection, GALLERY_MEMBER(server.ssl.only_1_3),
             name_table<bool, 2>{{{{false, "TLSv1.2"}, {true, "TLSv1.3"}}}});
    using namespace std::chrono_literals;
    t.duration("server.timeouts.header", next_request, GALLERY_MEMBER(server.timeouts.header), 1ms);
    t.duration("server.timeouts.body", next_request, GALLERY_MEMBER(server.timeouts.body), 1ms);
    t.duration("server.timeouts.write", next_request, GALLERY_MEMBER(server.timeouts.write), 1ms);
    t.duration("server.timeouts.keep_alive", next_request, GALLERY_MEMBER(server.timeouts.keep_alive), 1ms);
    t.duration("server.timeouts.drain", at_once, GALLERY_MEMBER(server.timeouts.drain), 0ms);
    t.file("server.console_folder", at_restart, GALLERY_MEMBER(server.console_folder));
    t.add("transport.http.max_payload_size", next_request, "\"/pattern=bytes\" entries separated by ';'",
          [](settings& s, std::string_view value) {
              auto parsed = payload_limits::parse(value);
              if (parsed) s.transport.max_payload_size = std::move(*parsed);
              return parsed.has_value();
          });
    t.size("transport.http.upload_memory", at_once, GALLERY_MEMBER(transport.upload_memory), 1ULL << 20);
    t.duration("transport.http.upload_wait", next_request, GALLERY_MEMBER(transport.upload_wait), 0ms);
    t.text("metrics.address", at_restart, GALLERY_MEMBER(metrics.address), "an IPv4 or IPv6 address",
           &is_address);
    t.number("metrics.port", at_restart, GALLERY_MEMBER(metrics.port), 0, 65535);
    t.number("metrics.tenants", at_restart, GALLERY_MEMBER(metrics.tenants), 0, 10'000);
}

void add_data(table& t) {
    using enum takes_effect;
    t.file("data.folder", at_restart, GALLERY_MEMBER(data.folder), "the path of a folder", &is_filled);
    t.file("data.system_images_folder", at_restart, GALLERY_MEMBER(data.system_images_folder));
    t.file("storage.plugin", at_restart, GALLERY_MEMBER(storage.plugin), "a plugin's name or absolute path",
           &is_filled);
    t.file("storage.plugin_dir", at_restart, GALLERY_MEMBER(storage.plugin_dir));
    t.file("storage.path", at_restart, GALLERY_MEMBER(storage.path));
    t.duration("storage.scrub_interval", at_once, GALLERY_MEMBER(storage.scrub_interval),
               std::chrono::milliseconds(0));
    t.size("storage.scrub_rate", at_once, GALLERY_MEMBER(storage.scrub_rate), 0);
}

void add_security(table& t) {
    using enum takes_effect;
    t.count("security.jwt.token_expiration_time", at_restart, GALLERY_MEMBER(security.token_expiration_time),
            1, "seconds");
    t.count("security.jwt.refresh_token_expiration_time", at_restart,
            GALLERY_MEMBER(security.refresh_token_expiration_time), 1, "seconds");
    t.text("security.jwt.token_issuer", at_restart, GALLERY_MEMBER(security.token_issuer), "text",
           &is_filled);
    t.add("security.jwt.token_signing_key", at_restart, "base64 of at least 64 bytes, or an empty value",
          [](settings& s, std::string_view value) {
              auto decoded = parse_base64(value);
              if (!decoded || (!decoded->empty() && decoded->size() < 64)) return false;
              s.security.token_signing_key = std::move(*decoded);
              return true;
          });
    t.rows.back().secret = true;
    t.boolean("security.jwt.accept_thingsboard_users", at_restart,
              GALLERY_MEMBER(security.accept_thingsboard_users));
    t.text("security.sysadmin_email", at_restart, GALLERY_MEMBER(security.sysadmin_email),
           "an e-mail address", &is_email_address);
    t.secret("security.sysadmin_password", at_restart, GALLERY_MEMBER(security.sysadmin_password),
             "at least 6 characters, or an empty value", &is_password);
    t.secret("security.demo_password", at_restart, GALLERY_MEMBER(security.demo_password),
             "at least 6 characters, or an empty value", &is_password);
}

void add_images(table& t) {
    using enum takes_effect;
    t.count("cache.image.etag.time_to_live_in_minutes", at_once, GALLERY_MEMBER(cache.etag_time_to_live), 0,
            "minutes");
    t.size("cache.image.etag.max_size", at_once, GALLERY_MEMBER(cache.etag_max_size), 0);
    t.count("cache.image.system_images_browser_ttl_in_minutes", next_request,
            GALLERY_MEMBER(cache.system_images_browser_ttl), 0, "minutes");
    t.count("cache.image.tenant_images_browser_ttl_in_minutes", next_request,
            GALLERY_MEMBER(cache.tenant_images_browser_ttl), 0, "minutes");
    t.size("image.max_resource_size", next_request, GALLERY_MEMBER(image.max_resource_size), 0);
    t.number("image.max_pixels", next_image, GALLERY_MEMBER(image.max_pixels), 1, no_limit);
    t.number("image.max_total_pixels", next_image, GALLERY_MEMBER(image.max_total_pixels), 1, no_limit);
    t.number("image.max_frames", next_image, GALLERY_MEMBER(image.max_frames), 1, 1'000'000);
    t.number("image.max_queued", next_request, GALLERY_MEMBER(image.max_queued), 1, 1'024);
    t.size("image.max_svg_size", next_image, GALLERY_MEMBER(image.max_svg_size), 1);
    t.number("image.workers", at_once, GALLERY_MEMBER(image.workers), 0, 256);
    t.duration("image.timeout", next_image, GALLERY_MEMBER(image.timeout), std::chrono::milliseconds(1));
    t.size("image.worker_memory", next_image, GALLERY_MEMBER(image.worker_memory), 64ULL << 20);
    t.duration("cluster.staleness", at_restart, GALLERY_MEMBER(cluster.staleness),
               std::chrono::milliseconds(50));
    t.boolean("cluster.strict", next_request, GALLERY_MEMBER(cluster.strict));
    t.text("cluster.node_address", at_restart, GALLERY_MEMBER(cluster.node_address));
    t.text("mirror.allowed_paths", at_restart, GALLERY_MEMBER(mirror.allowed_paths));
    t.text("mirror.allowed_hosts", at_restart, GALLERY_MEMBER(mirror.allowed_hosts));
    t.number("mirror.at_once", at_restart, GALLERY_MEMBER(mirror.at_once), 1, 256);
    t.size("mirror.max_rate", at_restart, GALLERY_MEMBER(mirror.max_rate), 0);
    t.duration("mirror.switch_timeout", at_restart, GALLERY_MEMBER(mirror.switch_timeout),
               std::chrono::milliseconds(1));
    t.choice("logging.level", at_once, GALLERY_MEMBER(logging.level), log_levels);
    t.choice("logging.format", at_once, GALLERY_MEMBER(logging.format),
             name_table<log_format, 2>{{{{log_format::text, "text"}, {log_format::json, "json"}}}});
    t.choice("logging.access_log.format", at_restart, GALLERY_MEMBER(logging.access_log.format),
             name_table<access_log_format, 3>{{{{access_log_format::off, "off"},
                                                {access_log_format::combined, "combined"},
                                                {access_log_format::json, "json"}}}});
    t.text("logging.access_log.file", at_restart, GALLERY_MEMBER(logging.access_log.file));
}

#undef GALLERY_MEMBER

}  // namespace

const std::vector<binding>& bindings() {
    static const std::vector<binding> all = [] {
        table t;
        add_server(t);
        add_data(t);
        add_security(t);
        add_images(t);
        return std::move(t.rows);
    }();
    return all;
}

namespace {

/// Whether one port cannot be listened on at both. "::" is all of IPv4, too.
bool overlap(const std::string& one, const std::string& other) {
    boost::system::error_code failed;
    const auto a = boost::asio::ip::make_address(one, failed);
    const auto b = boost::asio::ip::make_address(other, failed);
    if (a == b) return true;
    const auto takes = [](const auto& all, const auto& single) {
        return all.is_unspecified() && (all.is_v6() || single.is_v4());
    };
    return takes(a, b) || takes(b, a);
}

}  // namespace

std::string contradiction(const settings& s) {
    std::string found;
    const auto add = [&found](const std::string& text) { found += (found.empty() ? "" : "\n") + text; };
    if (s.server.ssl.enabled && s.server.ssl.cert_file.empty()) {
        add("server.ssl.cert_file (SSL_PEM_CERT): expected the file of a certificate because "
            "server.ssl.enabled is true, "
            "found an empty value");
    }
    if (s.metrics.port != 0 && s.metrics.port == s.server.port &&
        overlap(s.metrics.address, s.server.address)) {
        add("metrics.port (METRICS_BIND_PORT): expected a port other than the server's, found " +
            std::to_string(s.metrics.port) + " for both, on " + s.metrics.address + " and " +
            s.server.address);
    }
    return found;
}

}  // namespace gallery::config

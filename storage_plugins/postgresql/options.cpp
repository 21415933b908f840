// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <charconv>

namespace gallery::postgres {

const char* const options_schema = R"({
  "dsn": {"type": "text", "default": "", "secret": true,
    "description": "Connection string of libpq (keywords or URI). List all servers that can become the primary. Empty: libpq's environment variables (PGHOST and others)."},
  "root_certificates": {"type": "text", "default": "",
    "description": "Certificates of authorities (PEM) that the database's certificate is verified with. Set sslmode=verify-full in the connection string as well. Empty: sslrootcert of the connection string."},
  "schema": {"type": "text", "default": "gallery",
    "description": "Schema of the store, 1 to 55 bytes. It is created if it does not exist. The role needs rights in this schema only."},
  "allow_unreplicated": {"type": "boolean", "default": "false",
    "description": "true: also run if synchronous_standby_names is empty or synchronous_commit is below on. Losing the primary then loses acknowledged writes."},
  "connections": {"type": "integer", "default": "8", "min": 1, "max": 64,
    "description": "Number of connections for image bytes and upkeep, 1 to 64. Each server opens four more for changes, writes and notifications."},
  "cache_bytes": {"type": "size", "reload": true, "cache": true, "default": "64M", "min": 0, "max": 1099511627776,
    "description": "Memory for image bytes that were read and verified. 0: off."},
  "timeout": {"type": "duration", "default": "10s", "min": 1000, "max": 600000,
    "description": "How long a request waits for the database before it fails, including a failover. 1s to 10m."},
  "connect_timeout": {"type": "duration", "default": "2s", "min": 100, "max": 60000,
    "description": "How long connecting to one server may take before the next server is tried. 100ms to 1m."},
  "poll": {"type": "duration", "default": "1s", "min": 10, "max": 60000,
    "description": "How often changes by other servers are read without a notification. 10ms to 1m."},
  "heartbeat": {"type": "duration", "default": "500ms", "min": 10, "max": 60000,
    "description": "How often a replicated commit confirms that the connected server is the primary. A primary that was replaced is believed for at most this long. 10ms to 1m."},
  "changes_kept": {"type": "integer", "default": "10000", "min": 10000, "max": 1000000,
    "description": "Number of changes that the change feed keeps, 10000 to 1000000."}
})";

namespace {

std::int64_t number(const std::map<std::string, std::string>& values, const char* name, std::int64_t preset) {
    const auto found = values.find(name);
    if (found == values.end() || found->second.empty()) return preset;
    std::int64_t value = preset;
    const auto& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string text(const std::map<std::string, std::string>& values, const char* name, const char* preset) {
    const auto found = values.find(name);
    return found == values.end() ? preset : found->second;
}

}  // namespace

result<options> parse_options(const std::map<std::string, std::string>& values,
                              const std::optional<confinement>& confined) {
    using std::chrono::milliseconds;
    options chosen;
    const auto duration = [&](const char* name, milliseconds& value) {
        value = milliseconds(number(values, name, value.count()));
    };
    chosen.schema = text(values, "schema", "gallery");
    if (chosen.schema.empty() || chosen.schema.size() > 55 || chosen.schema.starts_with("pg_"))
        return error{errc::invalid_argument, "The option schema of the postgresql store is \"" +
                                                 chosen.schema +
                                                 "\"; expected 1 to 55 bytes that do not start with pg_."};
    chosen.root_certificates = text(values, "root_certificates", "");
    chosen.allow_unreplicated = text(values, "allow_unreplicated", "false") == "true";
    chosen.connections = static_cast<std::size_t>(number(values, "connections", 8));
    chosen.cache_bytes = static_cast<std::uint64_t>(number(values, "cache_bytes", 64 << 20));
    chosen.changes_kept = static_cast<std::size_t>(number(values, "changes_kept", 10'000));
    duration("timeout", chosen.timeout);
    duration("connect_timeout", chosen.connect_timeout);
    duration("poll", chosen.poll);
    duration("heartbeat", chosen.heartbeat);
    auto servers = endpoints_of(text(values, "dsn", ""), chosen.timeout, confined);
    if (!servers) return servers.error();
    chosen.servers = std::move(*servers);
    return chosen;
}

}  // namespace gallery::postgres

// SPDX-License-Identifier: Apache-2.0
/// The interface between a storage plugin and the server.
///
/// A plugin is one shared object that links libgallery_common.so and its engine, nothing else, and exports
/// one function:
///
///     GALLERY_STORAGE_PLUGIN(descriptor)    // at namespace scope, once; names a plugin_descriptor
///
/// The server checks the descriptor before it calls anything else. If the descriptor does not match the
/// server's build, it refuses the plugin and reports both values. A plugin is never unloaded.
#pragma once

#include <gallery/abi.hpp>
#include <gallery/error.hpp>
#include <gallery/export.hpp>
#include <gallery/log_level.hpp>
#include <gallery/storage.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery {

/// Applies to a store that a user of the gallery has named, and not the operator's configuration: the target
/// of a mirror. The options may be hostile. They must not be a way to the secrets of the server's user or to
/// other machines. Besides plugin_context::path and the options, the engine uses nothing that it finds on the
/// machine: no environment variables, no files (of passwords, keys, certificates or settings), and no
/// identity of the server's user, such as a login without a password. It refuses options that name these.
struct confinement {
    /// The hosts that the engine may connect to, as the operator has listed them: "host", "host:port",
    /// "[address]:port" or the absolute path of a socket's folder. Without a port, every port is meant.
    std::vector<std::string> hosts;
};

/// The arguments of create().
struct plugin_context {
    /// A folder for this engine alone; it exists and is writable (STORAGE_PATH).
    std::string path;

    /// The plugin's section of the configuration: a value for each option of its schema, in the form of the
    /// option's type.
    std::map<std::string, std::string> options;

    /// For messages to the operator, for instance the findings of a recovery.
    log_function log;

    /// Empty for a store that the operator has configured.
    std::optional<confinement> confined;
};

inline constexpr char plugin_magic[8] = {'G', 'A', 'L', 'L', 'E', 'R', 'Y', 'S'};

/// Increased when the storage contract changes its meaning while its declarations stay the same.
inline constexpr std::uint32_t plugin_contract_version = 2;

struct plugin_descriptor {
    /// These four are at fixed offsets and are read first, whatever else differs.
    char magic[8];                   ///< plugin_magic
    std::uint32_t size;              ///< sizeof(plugin_descriptor)
    std::uint32_t contract_version;  ///< plugin_contract_version
    const char* abi_tag;             ///< plugin_abi_tag

    /// As in STORAGE_PLUGIN, for instance "rocksdb": 1 to 64 letters, digits, '_' and '-'. It is also the
    /// name of the store's folder if STORAGE_PATH is not set.
    const char* name;
    const char* version;  ///< of the plugin and its engine; for display only

    /// JSON object: option name -> {"default": "...", "description": "...", "type": "...", "secret": bool,
    /// "reload": bool, "cache": bool}.
    /// The default is text and required. The type decides which values are accepted and how the plugin is
    /// given them; the server refuses other values before create() is called:
    ///   "text"      (the default) anything, unchanged
    ///   "integer"   decimal digits, with '-' in front where negative; unchanged
    ///   "size"      bytes, alone or with a unit as in 64K or 64MiB; given in bytes as decimal digits
    ///   "duration"  with a unit as in 250ms or 5m; given in milliseconds as decimal digits
    ///   "boolean"   true or false; unchanged
    ///   "choice"    one of the texts in "values": ["...", ...]; unchanged
    /// "min" and "max" are numbers and limit an integer, a size (in bytes) or a duration (in milliseconds),
    /// both included; each may be left out.
    ///
    /// "reload": true is for an option that storage_engine::change_options() can change while the store is
    /// open. Others are used at the next start.
    ///
    /// "cache": true is for memory or open files that only make reads faster. A store that serves no
    /// requests, such as a mirror, is given the option's "min" instead of its value. Requires "reload": true
    /// and "min", because the store gets its value when a switch makes it the one that is served.
    ///
    /// "secret": true keeps the value out of everything that the server shows or logs; nothing else does. An
    /// empty value of an option that is not text means its default. Options that are not in the schema stop
    /// the start.
    const char* config_schema;

    /// Several processes may open one store at the same time, each with its own folder as
    /// plugin_context::path; the options name the store. If false, the store belongs to one process, and
    /// create() must ensure this.
    bool shared;

    /// Opens or creates the store. May block and take seconds. A store of an earlier format is upgraded in
    /// place; a crash at any moment must not damage it, and the upgrade is logged. A store of a later format
    /// is refused with both numbers. Does not throw. Errors: invalid_argument for an option's value (named in
    /// the message), corrupt, io_error, unavailable (locked by another process, or a later format).
    result<std::unique_ptr<storage_engine>> (*create)(const plugin_context& context) noexcept;

    /// create() obeys plugin_context::confined. If false, the server opens no mirror with this plugin.
    bool confines = false;
};

/// Name and type of a plugin's one entry point.
inline constexpr const char* plugin_entry_name = "gallery_storage_plugin";
using plugin_entry = const plugin_descriptor* (*)() noexcept;

/// The first four members of a descriptor of this build, to start an aggregate with:
///     constexpr plugin_descriptor d = {GALLERY_PLUGIN_HEADER, "name", "1.0", "{}", false, &create};
#define GALLERY_PLUGIN_HEADER                                                       \
    {'G', 'A', 'L', 'L', 'E', 'R', 'Y', 'S'}, sizeof(::gallery::plugin_descriptor), \
        ::gallery::plugin_contract_version, ::gallery::plugin_abi_tag

#define GALLERY_STORAGE_PLUGIN(descriptor)                                                                \
    extern "C" GALLERY_PLUGIN_API const ::gallery::plugin_descriptor* gallery_storage_plugin() noexcept { \
        return &(descriptor);                                                                             \
    }

}  // namespace gallery

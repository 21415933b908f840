// SPDX-License-Identifier: Apache-2.0
#include "mirror/state_file.hpp"

#include "mirror/address_json.hpp"
#include "mirror/json_members.hpp"
#include "mirror/private_file.hpp"

#include <gallery/files.hpp>

#include <utility>

namespace gallery::mirror {

namespace {

namespace json = boost::json;

json::object to_object(const completion& value) {
    json::object out;
    out["revision"] = value.rev;
    out["images"] = value.images;
    out["bytes"] = value.bytes;
    out["keptVersions"] = value.versions;
    out["damaged"] = value.damaged;
    out["time"] = value.time;
    return out;
}

std::optional<completion> to_completion(const json::object& from) {
    const auto number = [&from](std::string_view name) { return number_member(from, name).value_or(-1); };
    completion out;
    out.rev = static_cast<revision>(number("revision"));
    out.images = static_cast<std::uint64_t>(number("images"));
    out.bytes = static_cast<std::uint64_t>(number("bytes"));
    out.versions = static_cast<std::uint64_t>(number("keptVersions"));
    out.damaged = static_cast<std::uint64_t>(number("damaged"));
    out.time = number("time");
    for (const char* name : {"revision", "images", "bytes", "keptVersions", "damaged", "time"}) {
        if (number(name) < 0) return std::nullopt;
    }
    return out;
}

}  // namespace

std::string to_json(const saved_mirror& value) {
    json::object out;
    put_address(out, value.target);
    if (!value.former_identity.empty()) out["formerStore"] = value.former_identity;
    out["running"] = value.is_running;
    out["backup"] = value.is_backup;
    out["verify"] = value.verifies;
    out["skipDamaged"] = value.skips_damaged;
    out["problem"] = value.problem;
    if (value.completed) out["completed"] = to_object(*value.completed);
    out["run"] = value.run;
    out["backupTime"] = value.backup_at;
    return json::serialize(out) + "\n";
}

std::optional<saved_mirror> parse_saved_mirror(std::string_view text) {
    const auto members = object_in(text);
    if (!members) return std::nullopt;
    auto target = address_member(*members);
    const auto running = boolean_member(*members, "running");
    if (!target || !running) return std::nullopt;
    saved_mirror out;
    out.target = std::move(*target);
    out.former_identity = text_member(*members, "formerStore").value_or("");
    out.is_running = *running;
    out.is_backup = boolean_member(*members, "backup").value_or(false);
    out.verifies = boolean_member(*members, "verify").value_or(false);
    out.skips_damaged = boolean_member(*members, "skipDamaged").value_or(false);
    out.problem = text_member(*members, "problem").value_or("");
    out.run = text_member(*members, "run").value_or("");
    out.backup_at = number_member(*members, "backupTime").value_or(0);
    if (const auto* completed = members->if_contains("completed"); completed != nullptr) {
        if (!completed->is_object()) return std::nullopt;
        out.completed = to_completion(completed->get_object());
        if (!out.completed) return std::nullopt;
    }
    return out;
}

result<void> write_state_file(const std::string& path, const saved_mirror& value) {
    return write_private_file(path, to_json(value));
}

result<std::optional<saved_mirror>> read_state_file(const std::string& path) {
    const auto text = read_private_file(path);
    if (!text) return text.error();
    if (!text->has_value()) return std::optional<saved_mirror>();
    auto value = parse_saved_mirror(**text);
    if (!value) {
        return error{errc::corrupt, path +
                                        " cannot be read. Remove it, and start the mirror again with "
                                        "gallery-admin mirror start"};
    }
    return std::optional<saved_mirror>(std::move(*value));
}

result<void> remove_state_file(const std::string& path) {
    return remove_file(path);
}

}  // namespace gallery::mirror

// SPDX-License-Identifier: Apache-2.0
#include "mirror/state_file.hpp"

#include "mirror/json_members.hpp"

#include <gallery/bytes.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gallery::mirror {

namespace {

namespace json = boost::json;

error file_error(const std::string& what, const std::string& path) {
    return {errc::io_error, what + " " + path + ": " + std::strerror(errno)};
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

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

bool sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path().string();
    const file_handle opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.descriptor() >= 0 && ::fsync(opened.descriptor()) == 0;
}

}  // namespace

std::string to_json(const saved_mirror& value) {
    json::object options;
    for (const auto& [name, text] : value.target.options)
        options[name] = text;
    json::object out;
    out["engine"] = value.target.engine;
    out["path"] = value.target.path;
    out["options"] = std::move(options);
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
    json::error_code wrong;
    const auto parsed = json::parse(json::string_view(text.data(), text.size()), wrong);
    const auto* members = wrong ? nullptr : parsed.if_object();
    if (members == nullptr) return std::nullopt;
    const auto engine = text_member(*members, "engine");
    const auto path = text_member(*members, "path");
    const auto running = boolean_member(*members, "running");
    const auto* options = members->if_contains("options");
    if (!engine || !path || !running || options == nullptr || !options->is_object()) return std::nullopt;
    saved_mirror out;
    out.target.engine = *engine;
    out.target.path = *path;
    for (const auto& each : options->get_object()) {
        if (!each.value().is_string()) return std::nullopt;
        out.target.options[std::string(each.key())] = std::string(each.value().get_string());
    }
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
    const std::string temporary = path + ".new";
    static_cast<void>(::unlink(temporary.c_str()));
    const file_handle file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (file.descriptor() < 0) return file_error("cannot create", temporary);
    if (!write_all(file.descriptor(), to_json(value)) || ::fsync(file.descriptor()) != 0)
        return file_error("cannot write", temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0 || !sync_folder_of(path))
        return file_error("cannot replace", path);
    return {};
}

result<std::optional<saved_mirror>> read_state_file(const std::string& path) {
    std::error_code failed;
    if (!std::filesystem::exists(path, failed) && !failed) return std::optional<saved_mirror>();
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) return file_error("cannot read", path);
    auto value = parse_saved_mirror(text);
    if (!value) {
        return error{errc::corrupt, path +
                                        " cannot be read. Remove it, and start the mirror again with "
                                        "gallery-admin mirror start"};
    }
    return std::optional<saved_mirror>(std::move(*value));
}

result<void> remove_state_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return file_error("cannot remove", path);
    return {};
}

}  // namespace gallery::mirror

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

bool sync_folder_of(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path().string();
    const file_handle opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.descriptor() >= 0 && ::fsync(opened.descriptor()) == 0;
}

}  // namespace

std::string to_json(const wanted_mirror& value) {
    json::object options;
    for (const auto& [name, text] : value.target.options)
        options[name] = text;
    json::object out;
    out["engine"] = value.target.engine;
    out["path"] = value.target.path;
    out["options"] = std::move(options);
    out["running"] = value.is_running;
    return json::serialize(out) + "\n";
}

std::optional<wanted_mirror> parse_wanted_mirror(std::string_view text) {
    json::error_code wrong;
    const auto parsed = json::parse(json::string_view(text.data(), text.size()), wrong);
    const auto* members = wrong ? nullptr : parsed.if_object();
    if (members == nullptr) return std::nullopt;
    const auto engine = text_member(*members, "engine");
    const auto path = text_member(*members, "path");
    const auto running = boolean_member(*members, "running");
    const auto* options = members->if_contains("options");
    if (!engine || !path || !running || options == nullptr || !options->is_object()) return std::nullopt;
    wanted_mirror out;
    out.target.engine = *engine;
    out.target.path = *path;
    for (const auto& each : options->get_object()) {
        if (!each.value().is_string()) return std::nullopt;
        out.target.options[std::string(each.key())] = std::string(each.value().get_string());
    }
    out.is_running = *running;
    return out;
}

result<void> write_state_file(const std::string& path, const wanted_mirror& value) {
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

result<std::optional<wanted_mirror>> read_state_file(const std::string& path) {
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return std::optional<wanted_mirror>();
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) return file_error("cannot read", path);
    auto value = parse_wanted_mirror(text);
    if (!value) {
        return error{errc::corrupt, path +
                                        " cannot be read. Remove it, and start the mirror again with "
                                        "gallery-admin mirror start"};
    }
    return std::optional<wanted_mirror>(std::move(*value));
}

result<void> remove_state_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return file_error("cannot remove", path);
    return {};
}

}  // namespace gallery::mirror

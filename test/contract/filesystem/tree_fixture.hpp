// SPDX-License-Identifier: Apache-2.0
/// A store and its tree, to be looked at and tampered with.
#pragma once

#include "store_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace gallery::contract {

namespace fs = std::filesystem;

struct tree_fixture : store_fixture {
    [[nodiscard]] fs::path root() const { return folder(); }
    [[nodiscard]] fs::path tenant_folder(unsigned number) const {
        return root() / to_string(tenant_number(number));
    }

    static std::string content_of(const fs::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static void write(const fs::path& path, const std::string& content) {
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    }
    static std::vector<std::string> names_in(const fs::path& path) {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(path))
            names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }
    /// Temporary and erased remains anywhere in the tree.
    std::vector<std::string> remains() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(root())) {
            const auto name = entry.path().filename().string();
            if (name.starts_with(".tmp-") || name.starts_with(".old-") || name.starts_with(".erased-") ||
                name.starts_with(".dropped-"))
                found.push_back(entry.path());
        }
        return found;
    }
    /// The one log of changes of a small store.
    fs::path log_file() const {
        const auto names = names_in(root() / ".gallery/changes");
        return names.empty() ? fs::path() : root() / ".gallery/changes" / names.back();
    }
    /// Takes the last lines off the log, as a kill does that comes before they are written.
    void cut_log(unsigned lines) const {
        auto text = content_of(log_file());
        for (; lines > 0; --lines)
            text.resize(text.rfind('\n', text.size() - 2) + 1);
        write(log_file(), text);
    }
    /// Writes documents by 16 threads, which share their synchronisations, so that a log is filled soon.
    void make_changes(unsigned count) {
        std::vector<std::jthread> threads;
        for (unsigned thread = 0; thread < 16; ++thread)
            threads.emplace_back([&, thread] {
                for (unsigned i = 0; i < count / 16; ++i)
                    (void)save_document({"session", "s" + std::to_string(thread), std::to_string(i), 0});
            });
    }
    std::vector<kept_version> all_kept() {
        return test::await(store().kept(std::nullopt, kept_order::oldest_first, "", 1000)).value().items;
    }
    static bool was_logged(const std::vector<std::string>& log, const std::string& part) {
        return std::any_of(log.begin(), log.end(),
                           [&](const auto& line) { return line.find(part) != std::string::npos; });
    }
};

}  // namespace gallery::contract

// SPDX-License-Identifier: Apache-2.0
#include "admin/dump_source.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gallery::admin {

namespace {

struct file_closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using file_pointer = std::unique_ptr<std::FILE, file_closer>;

failure cannot_read(const std::string& path) {
    return {errno == ENOENT ? exit_code::not_found : exit_code::refused,
            "the dump '" + path + "' cannot be read: " + std::strerror(errno)};
}

/// The environment without what is for this program only: passwords and keys.
std::vector<char*> without_credentials() {
    std::vector<char*> out;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view variable(*each);
        if (!variable.starts_with("GALLERY_") && !variable.starts_with("THINGSBOARD_")) out.push_back(*each);
    }
    out.push_back(nullptr);
    return out;
}

/// pg_restore, whose output is text. Ends it where it is not read to its end.
class converter {
public:
    converter() = default;
    converter(const converter&) = delete;
    converter& operator=(const converter&) = delete;
    ~converter() {
        output_.reset();  // a program that still writes ends
        if (child_ > 0) ::waitpid(child_, nullptr, 0);
    }

    outcome<std::FILE*> begin(const std::string& path) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return cannot_read(path);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        std::array<std::string, 5> words{"pg_restore", "--data-only", "--table=resource", "--file=-",
                                         path.starts_with('-') ? "./" + path : path};
        std::vector<char*> arguments;
        for (auto& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        auto variables = without_credentials();
        const int failed =
            ::posix_spawnp(&child_, "pg_restore", &actions, nullptr, arguments.data(), variables.data());
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_.reset(::fdopen(ends[0], "r"));
        if (failed != 0) {
            child_ = -1;
            return failure{exit_code::configuration,
                           "the dump '" + path +
                               "' is in pg_dump's custom format, and pg_restore cannot be run (" +
                               std::strerror(failed) + "). Install PostgreSQL's client programs"};
        }
        if (!output_) return cannot_read(path);
        return output_.get();
    }

    outcome<> end(const std::string& path) {
        if (child_ <= 0) return {};
        int status = 0;
        ::waitpid(std::exchange(child_, -1), &status, 0);
        if (status == 0) return {};
        return failure{exit_code::refused, "pg_restore failed on the dump '" + path + "', see its message"};
    }

private:
    pid_t child_ = -1;
    file_pointer output_;
};

struct line_buffer {
    char* text = nullptr;
    std::size_t capacity = 0;
    line_buffer() = default;
    line_buffer(const line_buffer&) = delete;
    line_buffer& operator=(const line_buffer&) = delete;
    ~line_buffer() { std::free(text); }  // getline() allocates it
};

}  // namespace

outcome<> read_dump(const std::string& path, const std::string& tenant,
                    const std::function<outcome<>(dumped_image)>& take) {
    file_pointer file;
    std::FILE* from = stdin;
    converter restore;
    if (path != "-") {
        file.reset(std::fopen(path.c_str(), "re"));
        if (!file) return cannot_read(path);
        from = file.get();
        std::array<char, 5> begin{};
        const auto size = std::fread(begin.data(), 1, begin.size(), from);
        std::rewind(from);
        if (std::string_view(begin.data(), size) == "PGDMP") {
            auto converted = restore.begin(path);
            if (!converted) return converted.error();
            from = *converted;
        }
    }
    dump_reader reader(tenant);
    line_buffer line;
    for (;;) {
        errno = 0;
        const auto length = ::getline(&line.text, &line.capacity, from);
        if (length < 0) {
            if (std::ferror(from) != 0) return cannot_read(path);
            break;
        }
        std::string_view text(line.text, static_cast<std::size_t>(length));
        if (text.ends_with('\n')) text.remove_suffix(1);
        auto row = reader.next(text);
        if (!row) return row.error();
        if (*row) {
            if (auto taken = take(std::move(**row)); !taken) return taken;
        }
    }
    if (auto ended = restore.end(path); !ended) return ended;
    if (reader.is_in_table()) return failure{exit_code::refused, "the dump '" + path + "' is cut off"};
    if (!reader.has_table()) {
        return failure{exit_code::refused,
                       "the dump '" + path +
                           "' has no data of ThingsBoard's table 'resource'. Make it with "
                           "pg_dump --table=resource, as text or with --format=custom"};
    }
    return {};
}

}  // namespace gallery::admin

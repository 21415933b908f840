// SPDX-License-Identifier: Apache-2.0
#include "admin/dump_source.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>
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

/// The first bytes of the custom format.
constexpr std::string_view custom_format = "PGDMP";

/// Writes to a pipe: @p head, and then the rest of a file. Ends when the reader of the pipe ends. In a thread
/// of its own.
void pump(std::FILE* from, std::string_view head, int pipe) {
    // A write to a pipe that nobody reads fails instead of ending the program.
    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    std::vector<char> part(64U << 10U);
    std::size_t length = head.copy(part.data(), part.size());
    while (length > 0) {
        std::string_view rest(part.data(), length);
        while (!rest.empty()) {
            const auto written = ::write(pipe, rest.data(), rest.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) break;
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
        if (!rest.empty()) break;
        length = std::fread(part.data(), 1, part.size(), from);
    }
    ::close(pipe);
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
        if (pump_.joinable()) pump_.join();
    }

    /// Of the file @p path, or of @p standard_input, of which the beginning was read already.
    outcome<std::FILE*> begin(const std::string& path, std::FILE* standard_input) {
        std::array<int, 2> ends{};
        std::array<int, 2> input{-1, -1};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return cannot_read(path);
        if (standard_input != nullptr && ::pipe2(input.data(), O_CLOEXEC) != 0) {
            auto why = cannot_read(path);
            for (const int end : ends)
                ::close(end);
            return why;
        }
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        if (standard_input != nullptr) ::posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
        std::vector<std::string> words{"pg_restore", "--data-only", "--table=resource", "--file=-"};
        // Without a name it reads its standard input.
        if (standard_input == nullptr) words.push_back(path.starts_with('-') ? "./" + path : path);
        std::vector<char*> arguments;
        for (auto& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        auto variables = without_credentials();
        const int failed =
            ::posix_spawnp(&child_, "pg_restore", &actions, nullptr, arguments.data(), variables.data());
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        if (input[0] >= 0) ::close(input[0]);
        output_.reset(::fdopen(ends[0], "r"));
        if (failed != 0) {
            child_ = -1;
            if (input[1] >= 0) ::close(input[1]);
            return failure{exit_code::configuration,
                           "the dump '" + path +
                               "' is in pg_dump's custom format, and pg_restore cannot be run (" +
                               std::strerror(failed) + "). Install PostgreSQL's client programs"};
        }
        if (input[1] >= 0) pump_ = std::thread(pump, standard_input, custom_format, input[1]);
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
    std::thread pump_;
};

/// The custom format's first bytes, or as many of them as the file begins with. No other byte is read,
/// because standard input may be a pipe.
std::string read_head(std::FILE* from) {
    std::string head;
    while (head.size() < custom_format.size()) {
        const int next = std::getc(from);
        if (next == EOF) break;
        if (next != custom_format[head.size()]) {
            std::ungetc(next, from);
            break;
        }
        head += static_cast<char>(next);
    }
    return head;
}

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
    const bool is_standard_input = path == "-";
    file_pointer file;
    if (!is_standard_input) {
        file.reset(std::fopen(path.c_str(), "re"));
        if (!file) return cannot_read(path);
    }
    auto* from = is_standard_input ? stdin : file.get();
    converter restore;
    auto head = read_head(from);
    if (head == custom_format) {
        auto converted = restore.begin(path, is_standard_input ? from : nullptr);
        if (!converted) return converted.error();
        from = *converted;
        head.clear();
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
        if (!head.empty()) text = head.append(text);
        auto row = reader.next(text);
        head.clear();
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

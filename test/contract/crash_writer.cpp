// SPDX-License-Identifier: Apache-2.0
#include "crash_writer.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <csignal>
#include <iostream>
#include <sstream>
#include <thread>

extern char** environ;

namespace gallery::contract {
namespace {

void tell(const std::string& line) {
    // Less than PIPE_BUF in one call: lines of several threads do not mix.
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(3);
}

result<write_outcome> run(storage_engine& engine, const image& what, std::uint64_t step) {
    const auto& record = what.record;
    auto& store = engine.images();
    const write_rules rules{precondition::any(), keeps_previous(step)
                                                     ? previous_version::keep(static_cast<std::int64_t>(step))
                                                     : previous_version::drop()};
    switch (operation_of(step)) {
        case crash_operation::save:
            return await(store.save(record, bytes::own(what.original), bytes::own(what.preview), rules));
        case crash_operation::update:
            return await(store.update(record, precondition::any()));
        case crash_operation::erase:
            return await(store.erase(record.tenant, record.key, rules));
    }
    return error{};
}

}  // namespace

crash_operation operation_of(std::uint64_t step) {
    const auto dice = (step * 0x9e3779b97f4a7c15ULL >> 40) % 10;
    return dice < 6 ? crash_operation::save : dice < 8 ? crash_operation::update : crash_operation::erase;
}

bool keeps_previous(std::uint64_t step) {
    return step % 3 == 1;
}

std::vector<document_write> crash_group(std::uint64_t step, std::uint64_t previous_step) {
    std::vector<document_write> parts;
    for (unsigned i = 0; i < documents_of_the_group; ++i)
        parts.push_back(document_write::save(
            {crash_group_kind, "d" + std::to_string(i), std::to_string(step), 0}, precondition::any()));
    parts.push_back(
        document_write::save({crash_step_kind, "s" + std::to_string(step), "", 0}, precondition::absent()));
    if (previous_step != 0)
        parts.push_back(document_write::erase(crash_step_kind, "s" + std::to_string(previous_step),
                                              precondition::present()));
    return parts;
}

namespace {

/// Writes the group until the process is killed. @p written: the step that is stored, 0 for none.
void write_groups(document_store& documents, std::uint64_t written) {
    for (auto step = written + 1;; ++step) {
        const auto name = " 0 " + std::to_string(step);
        tell('g' + name + '\n');
        const auto outcome = await(documents.write(crash_group(step, written)));
        if (!outcome || outcome->status != write_status::committed) {
            tell('x' + name + " the group: " + (outcome ? "not committed" : outcome.error().message) + '\n');
            return;
        }
        tell('h' + name + '\n');
        written = step;
    }
}

std::uint64_t group_step_of(document_store& documents) {
    const auto found = await(documents.find(crash_group_kind, "d0"));
    return found ? std::stoull(found->body) : 0;
}

}  // namespace

crash_state after_step(const crash_state& before, std::uint64_t step) {
    switch (operation_of(step)) {
        case crash_operation::save:
            return {step, step};
        case crash_operation::update:
            return before.record_step == 0 ? before : crash_state{step, before.bytes_step};
        case crash_operation::erase:
            return {};
    }
    return before;
}

image crash_image(unsigned key, std::uint64_t step) {
    std::mt19937_64 random(step * 1000 + key);
    const auto fill = [&](std::size_t size) {
        std::string text;
        while (text.size() < size)
            text += std::to_string(random());
        text.resize(size);
        return text;
    };
    image made;
    auto& record = made.record;
    record.tenant = tenant_number(key % 3);
    record.key = "Crash " + std::to_string(key);
    record.id.value.data[0] = 0x42;
    record.id.value.data[15] = static_cast<std::uint8_t>(key);
    record.public_key = "crash" + std::string(24, 'k') + std::to_string(100 + key);
    record.title = "step " + std::to_string(step);
    record.created_time =
        static_cast<std::int64_t>(step);  // update() leaves it: the step that wrote the bytes
    made.original = fill(step % 13 == 0 ? 300'000 : 1 + random() % 40'000);
    made.preview = step % 3 == 0 ? std::string() : fill(random() % 2000);
    record.original = {"image/png", 1, 1, made.original.size(), sha256(made.original)};
    record.preview_is_original = step % 3 == 0;
    record.preview = record.preview_is_original
                         ? record.original
                         : body_descriptor{"image/png", 1, 1, made.preview.size(), sha256(made.preview)};
    return made;
}

std::optional<crash_note> parse_crash_note(const std::string& line) {
    std::istringstream in(line);
    crash_note note;
    in >> note.what >> note.key >> note.step;
    if (note.what == 'd') in >> note.rev >> note.committed;
    if (!in) return std::nullopt;
    if (note.what == 'x') std::getline(in, note.message);
    return note;
}

int write_until_killed(const std::string& folder, std::uint64_t first_step) {
    tell("o 0 0\n");
    auto opened = open_store(folder);
    if (!opened) {
        tell("x 0 0 " + opened.error().message + '\n');
        return 1;
    }
    auto& store = **opened;
    std::atomic<std::uint64_t> next_step = first_step;
    std::vector<std::jthread> threads;
    threads.emplace_back([&] { write_groups(store.documents(), group_step_of(store.documents())); });
    for (unsigned t = 0; t < crash_threads; ++t)
        threads.emplace_back([&, t] {
            for (unsigned i = 0;; ++i) {
                const auto key = t * keys_per_thread + i % keys_per_thread;
                const auto step = ++next_step;
                const auto name = ' ' + std::to_string(key) + ' ' + std::to_string(step);
                tell('b' + name + '\n');
                const auto outcome = run(store, crash_image(key, step), step);
                if (!outcome) {
                    tell('x' + name + ' ' + outcome.error().message + '\n');
                    return;
                }
                tell('d' + name + ' ' + std::to_string(outcome->rev) + ' ' +
                     (outcome->status == write_status::committed ? "1" : "0") + '\n');
            }
        });
    threads.clear();
    return 1;
}

writer_process::writer_process(const std::string& folder, std::uint64_t first_step) {
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe(ends) == 0);
    std::vector<std::string> arguments = {"/proc/self/exe", "--plugin", under_test().path,
                                          "--writer",       folder,     std::to_string(first_step)};
    for (const auto& [name, value] : under_test().options) {
        arguments.emplace_back("--config");
        arguments.push_back(name + '=' + value);
    }
    std::vector<char*> pointers;
    for (auto& one : arguments)
        pointers.push_back(one.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addclose(&actions, ends[0]);
    ::posix_spawn_file_actions_addclose(&actions, ends[1]);
    const int spawned = ::posix_spawn(&child_, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    told_ = ::fdopen(ends[0], "r");
    BOOST_TEST_REQUIRE(spawned == 0);
}

writer_process::~writer_process() {
    std::fclose(told_);
    int status = 0;
    ::waitpid(child_, &status, 0);
    BOOST_TEST(WIFSIGNALED(status));
}

std::optional<std::string> writer_process::line() {
    char text[4096];
    if (std::fgets(text, sizeof text, told_) == nullptr) return std::nullopt;
    return text;
}

void writer_process::kill() {
    ::kill(child_, SIGKILL);
}

}  // namespace gallery::contract

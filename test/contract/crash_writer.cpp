#include "crash_writer.hpp"

#include <unistd.h>
#include <atomic>
#include <iostream>
#include <sstream>
#include <thread>

namespace gallery::contract {
namespace {

void tell(const std::string& line) {
    // Less than PIPE_BUF in one call: lines of several threads do not mix.
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(3);
}

result<write_outcome> run(image_store& store, const image& what, std::uint64_t step) {
    const auto& record = what.record;
    switch (operation_of(step)) {
        case crash_operation::save:
            return await(
                store.save(record, bytes::own(what.original), bytes::own(what.preview), precondition::any()));
        case crash_operation::update:
            return await(store.update(record, precondition::any()));
        case crash_operation::erase:
            return await(store.erase(record.tenant, record.key, precondition::any()));
    }
    return error{};
}

}  // namespace

crash_operation operation_of(std::uint64_t step) {
    const auto dice = (step * 0x9e3779b97f4a7c15ULL >> 40) % 10;
    return dice < 6 ? crash_operation::save : dice < 8 ? crash_operation::update : crash_operation::erase;
}

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
    auto opened = open_store(folder);
    if (!opened) {
        tell("x 0 0 " + opened.error().message + '\n');
        return 1;
    }
    auto& store = **opened;
    std::atomic<std::uint64_t> next_step = first_step;
    std::vector<std::jthread> threads;
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

}  // namespace gallery::contract

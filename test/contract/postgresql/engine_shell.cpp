// SPDX-License-Identifier: Apache-2.0
// engine_shell --plugin <path> --folder <folder> [--config name=value]...
//
// Opens a store and executes one command per line of standard input, each in a thread of its own, so that one
// that waits for the database does not hold up the others: "ID COMMAND ARGUMENTS". Prints "ID OUTCOME" when
// it ends. "open ok" or "open error CODE MESSAGE" comes first. For tests that do something to the database
// meanwhile.
#include "await.hpp"
#include "plugins/host.hpp"
#include "plugins/options.hpp"

#include <gallery/plugin.hpp>
#include <gallery/storage.hpp>

#include <dlfcn.h>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

using namespace gallery;

namespace {

std::mutex out_mutex;

void tell(const std::string& id, const std::string& what) {
    std::string line = id + ' ' + what;
    std::replace(line.begin(), line.end(), '\n', ' ');
    const std::lock_guard lock(out_mutex);
    std::cout << line << std::endl;
}

std::string text_of(const error& failed) {
    return "error " + std::string(to_string(failed.code)) + ' ' + failed.message;
}

std::string text_of(const result<write_outcome>& outcome) {
    if (!outcome) return text_of(outcome.error());
    constexpr const char* names[] = {"committed", "conflict", "absent", "public_key_taken", "over_limit"};
    return names[static_cast<std::size_t>(outcome->status)] + (' ' + std::to_string(outcome->rev));
}

tenant_id the_tenant() {
    tenant_id id;
    id.value.data[0] = 0x70;
    return id;
}

image_record record_of(const std::string& key, const std::string& data) {
    image_record record;
    record.tenant = the_tenant();
    record.key = key;
    record.title = key;
    const auto name = sha256(std::span<const char>(key.data(), key.size()));
    std::memcpy(record.id.value.data, name.data(), sizeof record.id.value.data);
    record.public_key = to_hex(name).substr(0, 32);
    record.original = {"image/png", 1, 1, data.size(),
                       sha256(std::span<const char>(data.data(), data.size()))};
    record.preview = record.original;
    record.preview_is_original = true;
    return record;
}

std::string save(storage_engine& engine, std::istream& arguments) {
    std::string key;
    std::size_t size = 0;
    std::string rule;
    arguments >> key >> size >> rule;
    std::string data = key + '#';
    while (data.size() < size)
        data += data;
    data.resize(size);
    auto record = record_of(key, data);
    write_rules rules = rule == "absent" ? precondition::absent() : precondition::any();
    if (rule == "keep") rules.previous = previous_version::keep(1);
    return text_of(test::await(engine.images().save(record, bytes::own(data), bytes(), rules)));
}

std::string changes(storage_engine& engine, std::istream& arguments) {
    revision after = 0;
    arguments >> after;
    std::ostringstream text;
    const auto batch = test::await(engine.feed().changes(after, 100'000));
    if (!batch) return text_of(batch.error());
    text << (batch->gap ? "gap" : "ok") << ' ' << batch->next;
    for (const auto& one : batch->changes)
        text << ' ' << one.rev;
    return text.str();
}

/// In groups, each in one atomic write.
std::string documents(storage_engine& engine, std::size_t count) {
    revision last = 0;
    for (std::size_t done = 0; done < count;) {
        std::vector<document_write> parts;
        for (; parts.size() < document_store::max_parts && done < count; ++done)
            parts.push_back(
                document_write::save({"test", "d" + std::to_string(done), "{}", 0}, precondition::any()));
        const auto outcome = test::await(engine.documents().write(std::move(parts)));
        if (!outcome) return text_of(outcome.error());
        last = outcome->revs.back();
    }
    return "revision " + std::to_string(last);
}

std::string horizon_age(storage_engine& engine) {
    const auto last = test::await(engine.feed().last());
    const auto batch =
        last ? test::await(engine.feed().changes(*last, 1)) : result<change_batch>(last.error());
    if (!batch) return text_of(batch.error());
    const auto age = std::chrono::steady_clock::now() - batch->horizon;
    return "ms " + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(age).count());
}

std::string read(storage_engine& engine, std::istream& arguments) {
    std::string key;
    arguments >> key;
    const auto found = test::await(engine.images().find(the_tenant(), key));
    if (!found) return text_of(found.error());
    const auto got = test::await(engine.images().read(*found, representation::original));
    if (!got) return text_of(got.error());
    return "bytes " + std::to_string(got->size());
}

std::string check(storage_engine& engine) {
    const auto report = test::await(engine.check());
    if (!report) return text_of(report.error());
    if (report->problems.empty()) return "sound " + std::to_string(report->records);
    std::string text = "problems";
    for (const auto& problem : report->problems)
        text += " | " + problem;
    return text;
}

std::string statistic_of(storage_engine& engine, std::istream& arguments) {
    std::string name;
    arguments >> name;
    for (const auto& one : engine.statistics())
        if (one.name == name) return "value " + std::to_string(static_cast<long long>(one.value));
    return "none";
}

std::string execute(storage_engine& engine, const std::string& line) {
    std::istringstream arguments(line);
    std::string command;
    std::string key;
    arguments >> command;
    if (command == "save") return save(engine, arguments);
    if (command == "changes") return changes(engine, arguments);
    if (command == "read") return read(engine, arguments);
    if (command == "check") return check(engine);
    if (command == "horizon") return horizon_age(engine);
    if (command == "statistic") return statistic_of(engine, arguments);
    if (command == "erase") {
        arguments >> key;
        return text_of(test::await(engine.images().erase(the_tenant(), key, precondition::any())));
    }
    if (command == "document") {
        std::string id;
        arguments >> id;
        return text_of(test::await(engine.documents().save({"test", id, "{}", 0}, precondition::any())));
    }
    if (command == "documents") {
        std::size_t count = 0;
        arguments >> count;
        return documents(engine, count);
    }
    if (command == "find") {
        arguments >> key;
        const auto found = test::await(engine.images().find(the_tenant(), key));
        return found ? "found " + std::to_string((*found)->rev) : text_of(found.error());
    }
    if (command == "find_now") {
        arguments >> key;
        const auto found = engine.images().find_now(the_tenant(), key);
        return found ? "found " + std::to_string((*found)->rev) : "nothing";
    }
    if (command == "last") {
        const auto last = test::await(engine.feed().last());
        return last ? "revision " + std::to_string(*last) : text_of(last.error());
    }
    if (command == "writing") {
        const auto now = engine.writing();
        return now.state == write_state::kind::ok ? "ok" : "stopped " + now.reason;
    }
    return "unknown command " + command;
}

}  // namespace

int main(int argc, char** argv) {
    std::string plugin;
    plugin_context context;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        const std::string value = argv[i + 1];
        if (option == "--plugin") plugin = value;
        if (option == "--folder") context.path = value;
        if (option == "--config") {
            const auto equals = value.find('=');
            context.options[value.substr(0, equals)] = value.substr(equals + 1);
        }
    }
    context.log = [](log_level level, std::string_view text) {
        const std::lock_guard lock(out_mutex);
        std::cerr << static_cast<int>(level) << ' ' << text << std::endl;
    };
    void* library = ::dlopen(plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
    const auto entry =
        library == nullptr ? nullptr : reinterpret_cast<plugin_entry>(::dlsym(library, plugin_entry_name));
    if (entry == nullptr) {
        tell("open", std::string("error plugin ") + ::dlerror());
        return 2;
    }
    const auto* descriptor = entry();
    auto opened = plugins::open_store({descriptor, plugin}, std::move(context));
    if (!opened) {
        tell("open", text_of(opened.error()));
        return 1;
    }
    auto& engine = **opened;
    tell("open", "ok");
    {
        std::vector<std::jthread> threads;
        std::string line;
        while (std::getline(std::cin, line)) {
            const auto space = line.find(' ');
            threads.emplace_back([&engine, id = line.substr(0, space), command = line.substr(space + 1)] {
                tell(id, execute(engine, command));
            });
        }
    }
    opened->reset();
    return 0;
}

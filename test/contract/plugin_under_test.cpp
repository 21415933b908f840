// SPDX-License-Identifier: Apache-2.0
#include "plugin_under_test.hpp"

#include "plugins/host.hpp"
#include "plugins/options.hpp"
#include "watchdog.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <iostream>
#include <limits>
#include <mutex>
#include <utility>

namespace gallery::contract {
namespace {

std::mutex log_mutex;
std::vector<std::string> logged;

std::map<std::string, std::string> options_of(const std::string& store) {
    constexpr std::string_view placeholder = "{store}";
    auto options = under_test().options;
    for (auto& [name, value] : options)
        for (auto at = value.find(placeholder); at != std::string::npos;
             at = value.find(placeholder, at + store.size()))
            value.replace(at, placeholder.size(), store);
    return options;
}

}  // namespace

std::vector<std::string> take_log() {
    const std::lock_guard lock(log_mutex);
    return std::exchange(logged, {});
}

plugin_under_test& under_test() {
    static plugin_under_test one;
    return one;
}

std::string load_plugin() {
    auto& plugin = under_test();
    // Without a slash dlopen would look in the system's folders.
    plugin.path = std::filesystem::absolute(plugin.path).string();
    void* library = ::dlopen(plugin.path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return ::dlerror();
    const auto entry = reinterpret_cast<plugin_entry>(::dlsym(library, plugin_entry_name));
    if (entry == nullptr) return ::dlerror();
    const auto* descriptor = entry();
    if (const auto good = plugins::check_descriptor(descriptor, plugin.path); !good)
        return good.error().message;
    if (const auto options = plugins::complete_options(*descriptor, plugin.options); !options)
        return options.error().message;
    plugin.descriptor = descriptor;
    return {};
}

result<std::unique_ptr<storage_engine>> open_store(const std::string& folder, std::string store) {
    plugin_context context;
    context.path = folder;
    if (store.empty()) store = std::filesystem::path(folder).filename().string();
    context.options = options_of(store);
    context.log = [](log_level level, std::string_view text) {
        const std::lock_guard lock(log_mutex);
        logged.emplace_back(text);
        if (under_test().verbose) std::cerr << "plugin[" << static_cast<int>(level) << "]: " << text << '\n';
    };
    const watched call("opening the store in " + folder);
    return plugins::open_store({under_test().descriptor, under_test().path}, std::move(context));
}

void change_options(storage_engine& opened, const std::string& folder, bool to_the_least) {
    const auto& descriptor = *under_test().descriptor;
    auto options = options_of(std::filesystem::path(folder).filename().string());
    for (const auto& option : plugins::declared_options(descriptor).value()) {
        const bool has_least = option.min > std::numeric_limits<std::int64_t>::min();
        if (option.reload && has_least && to_the_least) options[option.name] = std::to_string(option.min);
    }
    const watched call("changing options");
    opened.change_options(plugins::complete_options(descriptor, std::move(options)).value());
}

}  // namespace gallery::contract

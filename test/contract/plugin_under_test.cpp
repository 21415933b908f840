#include "plugin_under_test.hpp"

#include "storage/host.hpp"
#include "storage/options.hpp"
#include "watchdog.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <utility>

namespace gallery::contract {
namespace {

std::mutex log_mutex;
std::vector<std::string> logged;

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
    if (const auto good = storage::check_descriptor(descriptor, plugin.path); !good)
        return good.error().message;
    if (const auto options = storage::complete_options(*descriptor, plugin.options); !options)
        return options.error().message;
    plugin.descriptor = descriptor;
    return {};
}

result<std::unique_ptr<image_store>> open_store(const std::string& folder) {
    plugin_context context;
    context.path = folder;
    context.options = under_test().options;
    context.log = [](plugin_context::log_level level, std::string_view text) {
        const std::lock_guard lock(log_mutex);
        logged.emplace_back(text);
        if (under_test().verbose) std::cerr << "plugin[" << static_cast<int>(level) << "]: " << text << '\n';
    };
    const watched call("opening the store in " + folder);
    return storage::open_store({under_test().descriptor, under_test().path}, std::move(context));
}

}  // namespace gallery::contract

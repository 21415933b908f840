#include "plugin_under_test.hpp"

#include <dlfcn.h>
#include <cstring>
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
    void* library = ::dlopen(plugin.path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return ::dlerror();
    const auto entry = reinterpret_cast<plugin_entry>(::dlsym(library, plugin_entry_name));
    if (entry == nullptr) return ::dlerror();
    // In the order in which the server's plugin host asks, since what differs decides how far can be read.
    const auto* descriptor = entry();
    if (descriptor == nullptr || std::memcmp(descriptor->magic, plugin_magic, sizeof plugin_magic) != 0)
        return "This is no storage plugin.";
    if (descriptor->contract_version != plugin_contract_version ||
        descriptor->size != sizeof(plugin_descriptor))
        return "The plugin keeps version " + std::to_string(descriptor->contract_version) +
               " of the storage contract, this suite tests version " +
               std::to_string(plugin_contract_version) + ".";
    const auto* tag = descriptor->abi_tag == nullptr ? "nothing" : descriptor->abi_tag;
    if (std::strcmp(tag, plugin_abi_tag) != 0)
        return std::string("The plugin was built as ") + tag + ", this suite as " + plugin_abi_tag + ".";
    if (descriptor->create == nullptr) return "The plugin has no function that opens a store.";
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
    return under_test().descriptor->create(context);
}

}  // namespace gallery::contract

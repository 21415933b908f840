// SPDX-License-Identifier: Apache-2.0
// Stops writing when a test says so, and repeats its secrets: for tests of what the server makes of both.
#include "forwarding_store.hpp"

#include <filesystem>

namespace gallery::bad {
namespace {

constexpr const char* schema = R"({
  "folder": {"default": "", "type": "text", "description": "While it has a file 'read_only' or 'failed', writing() says so and writes are refused; while it has 'unknown', writes are done and then reported as failed. Saving an image renames 'last' to 'read_only'."},
  "patience": {"default": "5s", "type": "duration", "description": "An option with a type."},
  "access_key": {"default": "", "type": "text", "secret": true, "description": "A secret that is logged."},
  "connection_uri": {"default": "", "type": "text", "secret": true, "description": "A secret that errors repeat; 'refused' in it keeps the store from being opened."}
})";

class switchable final : public forwarding_store {
public:
    explicit switchable(std::string folder, std::string uri)
        : folder_(std::move(folder)), uri_(std::move(uri)) {}

    [[nodiscard]] write_state writing() const override {
        if (has("failed"))
            return {write_state::kind::failed, "Writing to " + uri_ + " failed. Restart the server."};
        if (has("read_only"))
            return {write_state::kind::read_only, "The disk of " + uri_ + " has no inodes left."};
        return {};
    }
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        if (auto refused = refusal()) co_return std::move(*refused);
        auto saved = co_await forwarding_store::save(std::move(record), std::move(original),
                                                     std::move(preview), rules);
        const auto folder = std::filesystem::path(folder_);
        if (has("last")) std::filesystem::rename(folder / "last", folder / "read_only");
        co_return reported(std::move(saved));
    }
    task<result<write_outcome>> update(image_record record, precondition condition) override {
        if (auto refused = refusal()) co_return std::move(*refused);
        auto updated = co_await forwarding_store::update(std::move(record), condition);
        co_return reported(std::move(updated));
    }
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        if (auto refused = refusal()) co_return std::move(*refused);
        auto erased = co_await forwarding_store::erase(tenant, std::move(key), rules);
        co_return reported(std::move(erased));
    }
    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        if (auto refused = refusal()) co_return std::move(*refused);
        auto written = co_await forwarding_store::write(std::move(parts));
        co_return reported(std::move(written));
    }

private:
    [[nodiscard]] bool has(const char* name) const {
        std::error_code failed;
        return !folder_.empty() && std::filesystem::exists(std::filesystem::path(folder_) / name, failed);
    }
    [[nodiscard]] std::optional<error> refusal() const {
        if (writing().state == write_state::kind::ok) return std::nullopt;
        return error{errc::read_only, "The store in " + folder_ + " at " + uri_ + " accepts no writes."};
    }
    template <class Outcome>
    [[nodiscard]] result<Outcome> reported(result<Outcome> done) const {
        if (!has("unknown")) return done;
        return error{errc::io_error,
                     "The disk of " + folder_ + " at " + uri_ + " did not confirm the write."};
    }

    std::string folder_;
    std::string uri_;
};

result<std::unique_ptr<storage_engine>> open(const plugin_context& context) noexcept {
    const auto& uri = context.options.at("connection_uri");
    context.log(log_level::info, "opened with the key " + context.options.at("access_key") + " at " + uri +
                                     ", waiting for " + context.options.at("patience") + " ms");
    if (uri.find("refused") != std::string::npos) return error{errc::unavailable, "nobody answers at " + uri};
    return std::unique_ptr<storage_engine>(std::make_unique<switchable>(context.options.at("folder"), uri));
}

constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "switchable", "1", schema, false, &open};

}  // namespace
}  // namespace gallery::bad

GALLERY_STORAGE_PLUGIN(gallery::bad::descriptor)

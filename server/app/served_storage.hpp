// SPDX-License-Identifier: Apache-2.0
/// The store of the server, as a switch of the mirror uses it.
#pragma once

#include "app/store_sharing.hpp"
#include "mirror/served_store.hpp"
#include "plugins/measured_engine.hpp"

#include <gallery/mutex.hpp>

#include <map>
#include <memory>
#include <string>

namespace gallery::app {

class served_storage final : public mirror::served_store {
public:
    /// @p store and @p sharing outlive its use. @p plugin_dir as in the settings.
    served_storage(plugins::measured_engine& store, mirror::known_store where, std::string plugin_dir,
                   store_sharing& sharing)
        : store_(store), plugin_dir_(std::move(plugin_dir)), sharing_(sharing), where_(std::move(where)) {}

    [[nodiscard]] mirror::known_store where() const override;
    [[nodiscard]] storage_engine& engine() override;
    [[nodiscard]] document_store& ungated_documents() override;
    [[nodiscard]] result<void> can_be(const mirror::target_address& other) const override;
    void seal_writes(std::chrono::milliseconds longest) override { store_.gate().seal(longest); }
    void open_gate() override { store_.gate().open(); }
    [[nodiscard]] std::uint64_t writes_under_way() const override { return store_.gate().under_way(); }
    [[nodiscard]] std::uint64_t writes_begun() const override { return store_.gate().begun(); }
    [[nodiscard]] bool hold_on(std::uint64_t known) override { return store_.gate().hold_on(known); }
    std::shared_ptr<storage_engine> exchange(std::shared_ptr<storage_engine> next,
                                             mirror::known_store place) override;
    void move_caches(storage_engine& former, const mirror::known_store& former_place) override;

    /// The store has got these options, in the form of the configuration. Any thread.
    void note_options(std::map<std::string, std::string> options);

private:
    plugins::measured_engine& store_;
    const std::string plugin_dir_;
    store_sharing& sharing_;
    std::shared_ptr<storage_engine> current_;  ///< null before the first exchange
    mutable mutex mutex_;
    mirror::known_store where_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::app

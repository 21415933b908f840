// SPDX-License-Identifier: Apache-2.0
#include "draft.hpp"

#include <gallery/kit/rules.hpp>

namespace gallery::postgres {
namespace {

void add_figures(usage_figures& to, const usage_figures& more) noexcept {
    to.count += more.count;
    to.original_bytes += more.original_bytes;
    to.preview_bytes += more.preview_bytes;
}

void subtract_figures(usage_figures& from, const usage_figures& less) noexcept {
    from.count -= less.count;
    from.original_bytes -= less.original_bytes;
    from.preview_bytes -= less.preview_bytes;
}

}  // namespace

kit::stored draft::find(const tenant_id& tenant, const std::string& key) const {
    if (const auto found = images_.find({tenant, key}); found != images_.end()) return found->second;
    return base_.images().find(tenant, key);
}

kit::stored draft::find_by_id(const image_id& id) const {
    if (const auto found = ids_.find(id); found != ids_.end()) return found->second;
    return base_.images().find_by_id(id);
}

kit::stored draft::find_by_public_key(const std::string& public_key) const {
    if (const auto found = public_keys_.find(public_key); found != public_keys_.end()) return found->second;
    return base_.images().find_by_public_key(public_key);
}

kit::stored_version draft::find_version(const image_id& id, revision content_rev) const {
    if (const auto found = versions_.find({id, content_rev}); found != versions_.end()) return found->second;
    return base_.images().find_kept(id, content_rev);
}

revision draft::document_revision(const std::string& kind, const std::string& id) const {
    if (const auto found = documents_.find({kind, id}); found != documents_.end()) return found->second;
    return base_.documents().find_revision(kind, id);
}

usage_figures draft::usage(const tenant_id& tenant) const {
    auto figures = base_.usage().usage(tenant).images;
    if (const auto found = usage_.find(tenant); found != usage_.end()) {
        add_figures(figures, found->second.added.images);
        subtract_figures(figures, found->second.removed.images);
    }
    return figures;
}

void draft::replace(const kit::stored& before, const kit::stored& after) {
    const auto& name = after ? *after.record : *before.record;
    auto& difference = usage_[name.tenant];
    if (before) {
        add_figures(difference.removed.images, kit::figures_of(*before.record));
        ids_[before.record->id] = {};
        if (!before.record->public_key.empty()) public_keys_[before.record->public_key] = {};
    }
    if (after) {
        add_figures(difference.added.images, kit::figures_of(*after.record));
        ids_[after.record->id] = after;
        if (!after.record->public_key.empty()) public_keys_[after.record->public_key] = after;
    }
    images_[{name.tenant, name.key}] = after;
}

void draft::add(event one) {
    const auto& image = one.image;
    switch (one.what) {
        case change::kind::image_saved:
        case change::kind::image_updated:
        case change::kind::image_erased: {
            const auto before = find(image.record->tenant, image.record->key);
            const bool erases = one.what == change::kind::image_erased;
            if (one.kept != 0)
                versions_[{before.record->id, one.kept}] = {{before.record, one.rev, one.kept_time, erases},
                                                            before.body};
            replace(before, erases ? kit::stored{} : image);
            break;
        }
        case change::kind::version_kept:
            versions_[{image.record->id, one.kept}] = {{image.record, one.rev, one.kept_time, one.is_erased},
                                                       image.body};
            break;
        case change::kind::version_dropped:
            versions_[{image.record->id, one.kept}] = {};
            break;
        case change::kind::document_saved:
            documents_[{one.doc.kind, one.doc.id}] = one.rev;
            break;
        case change::kind::document_erased:
            documents_[{one.doc.kind, one.doc.id}] = 0;
            break;
    }
    events_.push_back(std::move(one));
}

}  // namespace gallery::postgres

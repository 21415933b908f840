// SPDX-License-Identifier: Apache-2.0
// The plugin's one visible function.
#include "options.hpp"
#include "store.hpp"

#include <gallery/kit/guarded.hpp>
#include <gallery/plugin.hpp>

#include <libpq-fe.h>

namespace {

gallery::result<std::unique_ptr<gallery::storage_engine>> create(
    const gallery::plugin_context& context) noexcept {
    return gallery::kit::guarded("postgresql", [&] { return gallery::postgres::store::open(context); });
}

const gallery::plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER,
                                               "postgresql",
                                               GALLERY_VERSION,
                                               gallery::postgres::options_schema,
                                               true,
                                               &create,
                                               true};

}  // namespace

GALLERY_STORAGE_PLUGIN(descriptor)

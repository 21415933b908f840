// SPDX-License-Identifier: Apache-2.0
/// The use cases on the reference store, with an inspector that needs no pixels.
#pragma once

#include "await.hpp"
#include "images/image_service.hpp"

#include <gallery/plugin.hpp>

#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace gallery::test {

inline images::image_write_permit may_write(tenant_id tenant) {
    return images::permit_of_the_server<images::image_operation::write>(tenant);
}

/// An engine of the memory plugin of this build.
inline std::unique_ptr<storage_engine> open_memory_engine() {
    const auto* build = std::getenv("GALLERY_BUILD");
    const auto path =
        std::string(build != nullptr ? build : "build/release") + "/lib/gallery/plugins/memory.so";
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    const auto entry = reinterpret_cast<plugin_entry>(::dlsym(library, plugin_entry_name));
    plugin_context context;
    context.log = [](log_level, std::string_view) {};
    auto opened = entry()->create(context);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
}

/// "PICTURE..." is a picture of 3 by 2 with a preview of its own, everything else is none.
inline task<result<imaging::picture>> inspect_by_prefix(imaging::upload what) {
    const auto data = what.original.memory() == nullptr ? bytes() : *what.original.memory();
    if (!data.view().starts_with("PICTURE")) co_return error{errc::not_an_image, "not an image: no prefix"};
    imaging::picture found;
    found.media_type = "image/png";
    found.width = 3;
    found.height = 2;
    found.preview_media_type = "image/png";
    found.preview_width = 1;
    found.preview_height = 1;
    found.preview = bytes::own("preview of " + std::string(data.view()));
    co_return found;
}

struct gallery_fixture {
    std::unique_ptr<storage_engine> engine = open_memory_engine();
    image_store* store = &engine->images();
    cache::etag_cache etags{1 << 20, std::chrono::minutes(10)};
    images::image_service gallery{*store, etags, inspect_by_prefix};
    tenant_id tenant{random_uuid()};

    static images::picture_file file(std::string name, const std::string& content) {
        images::picture_file made;
        made.file_name = std::move(name);
        made.data = bytes::own(content);
        made.digest = sha256(content);
        return made;
    }
    result<record_ptr> upload(const std::string& name, const std::string& content = "PICTURE") {
        images::new_image image;
        image.file = file(name, content);
        return await(gallery.upload(may_write(tenant), std::move(image)));
    }
    std::string content(const record_ptr& record, representation which = representation::original) {
        const auto read = await(gallery.read(record, which));
        return read ? std::string(read->load()->view()) : "error: " + read.error().message;
    }
};

}  // namespace gallery::test

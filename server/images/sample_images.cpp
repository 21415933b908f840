// SPDX-License-Identifier: Apache-2.0
#include "images/supplied_folder.hpp"
#include "images/system_images.hpp"

#include <utility>

namespace gallery::images {

task<result<installed_images>> install_samples(image_service& images, tenant_id tenant,
                                               std::filesystem::path folder, std::size_t count) {
    installed_images report;
    image_query query;
    query.tenant = tenant;
    query.page_size = 1;
    auto present = co_await images.list(permit_of_the_server<image_operation::write>(tenant), query);
    if (!present) co_return present.error();
    if (present->total != 0) co_return report;
    auto index = read_supplied_index(folder);
    if (!index) co_return index.error();
    for (const auto& picture : *index) {
        if (report.installed == count) break;
        if (picture.sub_type != image_sub_type::image) continue;
        auto file = load_supplied_picture(folder, picture.file);
        if (!file) continue;
        new_image image;
        image.file = std::move(*file);
        image.key = picture.file;
        image.title = picture.title;
        auto written =
            co_await images.upload(permit_of_the_server<image_operation::write>(tenant), std::move(image));
        if (written || written.error().code == errc::version_conflict) {
            // A conflict: another server uploads it at this moment.
            ++report.installed;
        } else {
            report.problems.push_back("The sample " + picture.file +
                                      " was not uploaded: " + written.error().message);
        }
    }
    co_return report;
}

}  // namespace gallery::images

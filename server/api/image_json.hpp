/// ThingsBoard's JSON shapes of images.
#pragma once

#include <gallery/model.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::api {

/// `/api/images/{tenant|system}/{key}`. The key stands as it is, as ThingsBoard writes it, but for the
/// characters that would end the path or be decoded (`%`, `?`, `#`), which are percent-encoded.
std::string image_link(const image_record& record);

/// `/api/images/public/{publicResourceKey}`
std::string public_link(const image_record& record);

/// TbResourceInfo; nulls are written. @p prefix: http::path_prefix(), in front of both links.
boost::json::object resource_info(const image_record& record, std::string_view prefix);

/// PageData of TbResourceInfo.
boost::json::object image_page_data(const image_page& page, std::uint32_t page_size,
                                    std::uint64_t page_number, std::string_view prefix);

/// "IMAGE" or "SCADA_SYMBOL"
std::string_view sub_type_name(image_sub_type type) noexcept;

}  // namespace gallery::api

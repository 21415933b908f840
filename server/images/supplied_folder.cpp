// SPDX-License-Identifier: Apache-2.0
#include "images/supplied_folder.hpp"

#include <gallery/files.hpp>
#include <gallery/sub_type.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string_view>
#include <utility>

namespace gallery::images {

namespace json = boost::json;

result<std::vector<supplied_picture>> read_supplied_index(const std::filesystem::path& folder) {
    const auto path = folder / "index.json";
    const auto malformed = [&](std::string_view why) {
        return error{errc::invalid_argument, "The index of supplied images " + path.string() + " " +
                                                 std::string(why) + ". Install the server's files again."};
    };
    const auto text = read_file(path);
    if (!text) return malformed("cannot be read");
    json::error_code ec;
    const auto document = json::parse(*text, ec);
    if (ec || !document.is_array()) return malformed("is not a JSON array");
    std::vector<supplied_picture> pictures;
    for (const auto& item : document.get_array()) {
        const auto* object = item.if_object();
        const auto text_of = [&](const char* name) -> std::optional<std::string> {
            const auto* value = object != nullptr ? object->if_contains(name) : nullptr;
            if (value == nullptr || !value->is_string()) return std::nullopt;
            return std::string(value->get_string());
        };
        supplied_picture picture;
        auto file = text_of("file");
        if (!file) return malformed("has an entry without 'file'");
        picture.file = std::move(*file);
        picture.title = text_of("title").value_or("");
        if (const auto name = text_of("subType")) {
            const auto sub_type = sub_types.find(*name);
            if (!sub_type) return malformed("has an unknown 'subType'");
            picture.sub_type = *sub_type;
        }
        if (const auto* version = object->if_contains("version"); version != nullptr && version->is_int64())
            picture.version = version->get_int64();
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

std::optional<picture_file> load_supplied_picture(const std::filesystem::path& folder,
                                                  const std::string& name) {
    auto content = read_file(folder / name);
    if (!content) return std::nullopt;
    picture_file file;
    file.file_name = name;
    file.data = bytes::own(std::move(*content));
    file.digest = sha256(file.data.span());
    return file;
}

}  // namespace gallery::images

// SPDX-License-Identifier: Apache-2.0
// The order of texts, by ICU's root collator. It is opened once: its const functions may be called by many
// threads at the same time.
#include <gallery/text.hpp>

#include <unicode/ucol.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace gallery {
namespace {

const UCollator* root_collator() {
    static const UCollator* const collator = [] {
        UErrorCode status = U_ZERO_ERROR;
        auto* opened = ucol_open("root", &status);
        // Not only texts that are in a normal form already compare as Unicode says.
        if (U_SUCCESS(status)) ucol_setAttribute(opened, UCOL_NORMALIZATION_MODE, UCOL_ON, &status);
        if (U_FAILURE(status)) std::abort();  // the installation of ICU is broken
        return opened;
    }();
    return collator;
}

std::u16string to_utf16(std::string_view text) {
    std::u16string wide(text.size(), u'\0');  // never longer than UTF-8
    std::int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8WithSub(wide.data(), static_cast<std::int32_t>(wide.size()), &length, text.data(),
                         static_cast<std::int32_t>(text.size()), 0xFFFD, nullptr, &status);
    wide.resize(U_FAILURE(status) ? 0 : static_cast<std::size_t>(length));
    return wide;
}

}  // namespace

std::string collation_key(std::string_view text) {
    const auto wide = to_utf16(text);
    std::string key(std::max<std::size_t>(64, wide.size() * 4), '\0');
    for (;;) {
        const auto needed = static_cast<std::size_t>(ucol_getSortKey(
            root_collator(), wide.data(), static_cast<std::int32_t>(wide.size()),
            reinterpret_cast<std::uint8_t*>(key.data()), static_cast<std::int32_t>(key.size())));
        const bool complete = needed <= key.size();
        key.resize(needed);
        if (!complete) continue;
        if (!key.empty()) key.pop_back();  // the NUL at its end
        return key;
    }
}

int compare_collated(std::string_view a, std::string_view b) {
    UErrorCode status = U_ZERO_ERROR;
    const auto compared = ucol_strcollUTF8(root_collator(), a.data(), static_cast<std::int32_t>(a.size()),
                                           b.data(), static_cast<std::int32_t>(b.size()), &status);
    if (U_FAILURE(status)) return collation_key(a).compare(collation_key(b));
    return compared;
}

std::string collation_version() {
    UVersionInfo version;
    ucol_getVersion(root_collator(), version);
    std::string text;
    for (const auto part : version) {
        if (!text.empty()) text += '.';
        text += std::to_string(part);
    }
    return text;
}

}  // namespace gallery

// SPDX-License-Identifier: Apache-2.0
/// Visibility of the symbols of libgallery_common.so. All other symbols are hidden.
#pragma once

#if defined(GALLERY_COMMON_SOURCE)
#define GALLERY_API __attribute__((visibility("default")))
#else
#define GALLERY_API
#endif

/// The one symbol that a plugin exports.
#define GALLERY_PLUGIN_API __attribute__((visibility("default")))

// SPDX-License-Identifier: Apache-2.0
/// The tag that identifies binaries that can be loaded together. Two builds with the same tag have the same
/// compiler, the same Boost and Asio configuration, the same sanitizers and the same public headers.
#pragma once

#include <gallery/abi_headers.hpp>  // generated: GALLERY_HEADERS_HASH, a hash over the public headers

#include <boost/version.hpp>

#define GALLERY_ABI_TEXT_(x) #x
#define GALLERY_ABI_TEXT(x) GALLERY_ABI_TEXT_(x)

// Checked here, because otherwise the only message would be a long tag that differs in one word.
#if !defined(BOOST_ASIO_SEPARATE_COMPILATION) || !defined(BOOST_ASIO_DYN_LINK) ||         \
    !defined(BOOST_ASIO_NO_DEPRECATED) || !defined(BOOST_ASIO_DISABLE_BOOST_COROUTINE) || \
    !defined(BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE)
#error "One of the five -DBOOST_ASIO_... definitions is missing: see 'Building it' in storage_plugins.md."
#endif

#if defined(__clang__)
#define GALLERY_ABI_COMPILER "clang" GALLERY_ABI_TEXT(__clang_major__)
#else
#define GALLERY_ABI_COMPILER "gcc" GALLERY_ABI_TEXT(__GNUC__)
#endif

#if defined(__SANITIZE_THREAD__)
#define GALLERY_ABI_SANITIZER "thread"
#elif defined(__SANITIZE_ADDRESS__)
#define GALLERY_ABI_SANITIZER "address"
#else
#define GALLERY_ABI_SANITIZER "none"
#endif

#if defined(BOOST_ASIO_SEPARATE_COMPILATION) && defined(BOOST_ASIO_DYN_LINK)
#define GALLERY_ABI_ASIO "shared"
#else
#define GALLERY_ABI_ASIO "header-only"
#endif

#if defined(_GLIBCXX_DEBUG)
#define GALLERY_ABI_STDLIB "debug"
#else
#define GALLERY_ABI_STDLIB "release"
#endif

namespace gallery {

inline constexpr const char* plugin_abi_tag =
    GALLERY_ABI_COMPILER ";c++" GALLERY_ABI_TEXT(__cplusplus) ";boost-" GALLERY_ABI_TEXT(
        BOOST_VERSION) ";asio-" GALLERY_ABI_ASIO
                       "-cache" GALLERY_ABI_TEXT(
                           BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE) ";stdlib-" GALLERY_ABI_STDLIB
                                                                      ";sanitizer-" GALLERY_ABI_SANITIZER
                                                                      ";headers-" GALLERY_HEADERS_HASH;

}  // namespace gallery

// SPDX-License-Identifier: Apache-2.0
/// Pictures for the imaging tests, made here so that a bare clone tests every format that can be written in
/// a few lines, and a way to run the pool from a test.
#pragma once

#include "imaging/pool.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::imaging::test {

std::string le16(std::uint32_t value);
std::string le32(std::uint32_t value);
std::string be32(std::uint32_t value);

/// A PNG chunk with its check sum.
std::string png_chunk(std::string_view type, std::string_view data);
/// As gzip writes it.
std::string gzipped(std::string_view data);
/// A colour profile (ICC) with one table only, that of the intent @p table: 0 perceptual, 1 relative
/// colorimetric, 2 saturation. Its red is everybody's green.
std::string make_profile(int table);
/// As zlib writes it.
std::string deflated(std::string_view data);
std::string png_ihdr(std::uint32_t width, std::uint32_t height, char depth = 8, char colour_type = 2);
/// RGB with a gradient and some noise; deflated, no filters.
std::string make_png(std::uint32_t width, std::uint32_t height);
/// RGB of one colour, with a colour profile where @p profile is not empty.
std::string make_plain_png(std::uint32_t width, std::uint32_t height, std::string_view rgb,
                           std::string_view profile);
/// One palette, single-colour frames of the whole canvas.
std::string make_gif(std::uint32_t width, std::uint32_t height, unsigned frames = 1);
/// 24 bits a pixel.
std::string make_bmp(std::uint32_t width, std::uint32_t height);
/// Entries are PNGs of these square sizes.
std::string make_ico(std::initializer_list<std::uint32_t> sizes);
/// RGB in one strip, not compressed; @p orientation is tag 274.
std::string make_tiff(std::uint32_t width, std::uint32_t height, std::uint32_t orientation = 1);
/// 16 × 8 pixels, baseline JPEG; with an EXIF orientation where it is not 1.
std::string make_jpeg(std::uint32_t orientation = 1);
/// 8 × 6 pixels, lossless WebP.
std::string make_webp();
/// 8 × 6 pixels each.
std::string make_avif();
std::string make_heif();
/// An SVG of about @p size bytes that draws @p shapes circles.
std::string make_svg(std::string_view attributes, std::size_t size = 0, unsigned shapes = 1);

/// The folder test/data/pictures.
std::filesystem::path testdata();
std::string read(const std::filesystem::path& file);
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder);

pool_options quick_options(std::string worker);
/// The bytes of a picture as the gallery hands them to the pool.
upload upload_of(std::string data, tenant_id tenant = system_tenant);
/// Runs one inspect() on an io_context of its own.
result<picture> inspect(pool& p, std::string data);

/// Width and height of a PNG by its header.
std::pair<std::uint32_t, std::uint32_t> png_size(std::string_view png);

}  // namespace gallery::imaging::test

// SPDX-License-Identifier: Apache-2.0
#include "app/part_options.hpp"

#include "app/http_options.hpp"
#include "app/process.hpp"

#include <algorithm>
#include <thread>

namespace gallery::app {

namespace {

constexpr std::chrono::seconds longest_download_wait{10};

}  // namespace

imaging::pool_limits pool_limits_of(const config::image_settings& image) {
    imaging::pool_limits limits;
    limits.workers = image.workers != 0 ? image.workers : std::max(1U, std::thread::hardware_concurrency());
    limits.timeout = image.timeout;
    limits.max_pixels = image.max_pixels;
    limits.max_total_pixels = image.max_total_pixels;
    limits.max_frames = image.max_frames;
    limits.max_queued_per_tenant = image.max_queued;
    // One tenant cannot fill the queue of all.
    limits.max_queued = std::max<std::size_t>(limits.max_queued, std::size_t{8} * image.max_queued);
    limits.max_svg_bytes = image.max_svg_size;
    limits.worker_memory_mib =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(image.worker_memory >> 20, 1U << 20));
    return limits;
}

std::string imaging_worker_file() {
    return beside_executable("../lib/gallery/gallery-imaging-worker");
}

std::chrono::seconds upload_wait_of(const config::transport_settings& transport) {
    return whole_seconds(transport.upload_wait);
}

std::chrono::seconds download_wait_of(const config::transport_settings& transport) {
    return std::min(whole_seconds(transport.upload_wait), longest_download_wait);
}

}  // namespace gallery::app

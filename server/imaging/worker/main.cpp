// SPDX-License-Identifier: Apache-2.0
// The imaging worker: started by the server, confined, decoding one picture after the other. See
// imaging/protocol.hpp. It is not meant to be started by hand.
#include "imaging/inflate.hpp"
#include "imaging/protocol.hpp"
#include "imaging/sniff.hpp"
#include "imaging/worker/channel.hpp"
#include "imaging/worker/confinement.hpp"
#include "imaging/worker/fonts.hpp"
#include "imaging/worker/raster.hpp"
#include "imaging/worker/svg.hpp"
#include "imaging/worker/svgz.hpp"
#ifdef GALLERY_IMAGING_TEST_JOBS
#include "imaging/worker/test_jobs.hpp"
#endif

#include <glib.h>

#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace gallery::imaging::worker {
namespace {

// Out of memory: reports it with data on the stack, and exits. The server starts another worker.
[[noreturn]] void out_of_memory() {
    protocol::answer answer;
    answer.outcome = static_cast<std::uint32_t>(protocol::outcome::out_of_memory);
    send_answer(answer, {}, {}, {});
    ::_exit(3);
}

// GLib fails with the message "failed to allocate N bytes" and abort(); other messages are ignored.
GLogWriterOutput on_log(GLogLevelFlags level, const GLogField* fields, gsize count, gpointer) {
    if ((level & G_LOG_LEVEL_ERROR) == 0) return G_LOG_WRITER_HANDLED;
    for (gsize i = 0; i < count; ++i) {
        const auto* text = static_cast<const char*>(fields[i].value);
        if (std::strcmp(fields[i].key, "MESSAGE") == 0 &&
            std::strstr(text, "failed to allocate") != nullptr) {
            out_of_memory();
        }
    }
    return G_LOG_WRITER_HANDLED;
}

checked<decoded> inspect(std::string_view data, const limits& bounds) {
#ifdef GALLERY_IMAGING_TEST_JOBS
    if (auto answer = run_test_job(data)) return refusal{protocol::outcome::damaged, *answer};
#endif
    if (is_gzip(data)) return inspect_svgz(data, bounds);
    const auto found = sniff(data);
    if (found.kind == format::unknown)
        return refusal{protocol::outcome::not_an_image, not_an_image_text(found)};
    if (found.kind == format::svg) return inspect_svg(data, bounds);
    return inspect_raster(found.kind, data, bounds);
}

void refuse(refusal r) {
    if (r.text.size() > protocol::max_text) r.text.resize(protocol::max_text);
    protocol::answer answer;
    answer.outcome = static_cast<std::uint32_t>(r.why);
    send_answer(answer, r.text, {}, {});
}

void serve(const job& j) {
    const mapping picture(j);
    ::close(j.descriptor);
    if (!picture.valid())
        return refuse({protocol::outcome::fault, "The bytes of the image cannot be mapped."});
    allow_cpu_seconds(j.request.cpu_seconds);
    const auto result = inspect(picture.bytes(), {j.request.max_pixels, j.request.max_total_pixels,
                                                  j.request.max_frames, j.request.max_svg_bytes});
    if (!result) return refuse(result.error());
    if (result->preview.size() > protocol::max_preview) {
        return refuse({protocol::outcome::fault, "The preview is too large."});
    }
    protocol::answer answer;
    answer.kind = static_cast<std::uint32_t>(result->kind);
    answer.width = result->width;
    answer.height = result->height;
    answer.frames = result->frames;
    answer.preview_is_original = result->preview_is_original ? 1 : 0;
    answer.preview_width = result->preview_size.width;
    answer.preview_height = result->preview_size.height;
    const std::string_view title(result->title);
    send_answer(answer, title.size() > protocol::max_text ? std::string_view() : title,
                {result->preview.data(), result->preview.size()}, result->document);
}

int run(const char* program, std::size_t memory) {
    int type = 0;
    socklen_t length = sizeof type;
    if (::getsockopt(protocol::worker_descriptor, SOL_SOCKET, SO_TYPE, &type, &length) != 0) {
        std::fputs("This program decodes images for gallery-server, which starts it.\n", stderr);
        return 2;
    }
    protocol::hello greeting;
    greeting.layers = begin_confinement();
    // One heap for all threads, so that their number does not count against the address space.
    ::mallopt(M_ARENA_MAX, 1);
    std::set_new_handler(out_of_memory);
    g_log_set_writer_func(on_log, nullptr, nullptr);
    greeting.fonts = fonts_start();
    if (!vips_start(program)) return 1;
    svg_start();
    // From here on what libraries write is about strangers' pictures; standard output was the server's log,
    // too.
    if (const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC); null >= 0) {
        ::dup2(null, STDOUT_FILENO);
        ::dup2(null, STDERR_FILENO);
        ::close(null);
    }
    greeting.layers |= finish_confinement(memory);
    send_hello(greeting);
    for (;;) {
        serve(receive_job());
        // Memory of one image is released before the next.
        ::malloc_trim(0);
    }
}

}  // namespace
}  // namespace gallery::imaging::worker

int main(int argc, char** argv) {
    constexpr std::size_t mebibyte = 1024 * 1024;
    const std::size_t memory = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024;
    return gallery::imaging::worker::run(argv[0], memory * mebibyte);
}

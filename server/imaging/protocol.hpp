// SPDX-License-Identifier: Apache-2.0
/// The protocol between the server and an imaging worker, over a stream socket between two processes of one
/// build. The server never trusts a worker: every field of an answer is checked.
///
/// A worker confines itself, sends one `hello`, and then answers one `request` at a time with one `answer`.
/// The answer is followed by `text_size` bytes of text, `preview_size` bytes of PNG and `document_size` bytes
/// of a decompressed SVG. A request contains the file descriptor to read from (SCM_RIGHTS), which the worker
/// maps and closes.
#pragma once

#include <cstdint>
#include <type_traits>

namespace gallery::imaging::protocol {

inline constexpr std::uint32_t magic = 0x31474d49;  // "IMG1"
/// The descriptor on which a worker finds its socket.
inline constexpr int worker_descriptor = 3;
/// Upper bounds of what follows an answer.
inline constexpr std::uint32_t max_text = 4096;
inline constexpr std::uint32_t max_preview = 4 * 1024 * 1024;

/// Active layers of confinement (bits of hello::layers).
enum layer : std::uint32_t {
    resource_limits = 1u << 0,
    no_new_privileges = 1u << 1,
    other_user = 1u << 2,  ///< started as root and gave that up
    namespaces = 1u << 3,  ///< no network interface, no shared System V objects
    landlock_files = 1u << 4,
    landlock_network = 1u << 5,
    landlock_scope = 1u << 6,  ///< no signals to and no abstract sockets of others
    seccomp_filter = 1u << 7,
};

struct hello {
    std::uint32_t magic = protocol::magic;
    std::uint32_t layers = 0;
    std::uint32_t fonts = 0;  ///< font files that SVG text may use
    std::uint32_t reserved = 0;
};

struct request {
    std::uint32_t magic = protocol::magic;
    std::uint32_t max_frames = 0;
    std::uint64_t offset = 0;            ///< of the picture in the file, bytes
    std::uint64_t size = 0;              ///< of the picture, bytes; not 0
    std::uint64_t max_pixels = 0;        ///< of one frame
    std::uint64_t max_total_pixels = 0;  ///< over all frames
    std::uint64_t max_svg_bytes = 0;
    std::uint32_t cpu_seconds = 0;  ///< for this request; the kernel ends the worker beyond it
    std::uint32_t reserved = 0;
};

enum class outcome : std::uint32_t {
    picture = 0,    ///< text is the SVG's title
    not_an_image,   ///< text names the type that was found
    damaged,        ///< text describes the damage
    too_large,      ///< text names the number and the limit
    out_of_memory,  ///< text empty; the worker ends
    fault,          ///< the worker could not read the image; text contains the reason
};
inline constexpr std::uint32_t last_outcome = static_cast<std::uint32_t>(outcome::fault);

struct answer {
    std::uint32_t magic = protocol::magic;
    std::uint32_t outcome = 0;
    std::uint32_t kind = 0;  ///< imaging::format
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t frames = 0;
    std::uint32_t preview_is_original = 0;
    std::uint32_t preview_width = 0;
    std::uint32_t preview_height = 0;
    std::uint32_t text_size = 0;
    std::uint32_t preview_size = 0;
    std::uint32_t document_size = 0;  ///< of a compressed SVG; at most request::max_svg_bytes
};

static_assert(std::is_trivially_copyable_v<hello> && sizeof(hello) == 16);
static_assert(std::is_trivially_copyable_v<request> && sizeof(request) == 56);
static_assert(std::is_trivially_copyable_v<answer> && sizeof(answer) == 48);

}  // namespace gallery::imaging::protocol

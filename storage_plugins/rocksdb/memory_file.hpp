/// Large bodies in files that lie in memory (memfd), so that the kernel sends them without copying.
///
/// A body in ordinary memory is copied once for each time that it is sent, which for a megabyte is most of
/// what the request costs. The kernel sends pages of a file as they are. Sealed: nobody, not even this
/// process, can change the bytes any more.
#pragma once

#include <gallery/bytes.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace gallery::rocks {

/// Threads: any.
class memory_files {
public:
    /// From this size on it pays.
    static constexpr std::size_t smallest = 256 * 1024;

    /// Each takes a descriptor: at most a quarter of those that the process may have.
    memory_files();

    /// Copies @p data. Empty where it is too small, there are too many such files, or the system refuses;
    /// then the body stays where it is.
    [[nodiscard]] std::optional<file_region> hold(std::span<const char> data);

private:
    const std::size_t limit_;
    /// Shared with the files, which may outlive the store in a response under way.
    std::shared_ptr<std::atomic<std::size_t>> open_;
};

}  // namespace gallery::rocks

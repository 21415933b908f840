// SPDX-License-Identifier: Apache-2.0
/// Writes into a store until it is killed, and tells on a pipe what it is about to do and what was done.
/// The test that kills it runs the same rules to know what may be there afterwards.
#pragma once

#include "store_fixture.hpp"

#include <sys/types.h>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace gallery::contract {

inline constexpr unsigned crash_threads = 8;
inline constexpr unsigned keys_per_thread = 6;

/// What a key holds: the step that wrote the record, and the one that wrote its bytes.
struct crash_state {
    std::uint64_t record_step = 0;  ///< 0: nothing is there
    std::uint64_t bytes_step = 0;

    friend bool operator==(const crash_state&, const crash_state&) = default;
};

/// The one operation that a step is, the same in both processes.
enum class crash_operation { save, update, erase };
crash_operation operation_of(std::uint64_t step);

/// Whether a save or an erasure of this step keeps what was there before.
bool keeps_previous(std::uint64_t step);

/// The group of documents that one more thread writes again and again, in one atomic step each time.
inline constexpr unsigned documents_of_the_group = 4;
std::vector<document_write> crash_group(std::uint64_t step, std::uint64_t previous_step);
inline constexpr const char* crash_group_kind = "crash";
/// Saved by one step and erased by the next.
inline constexpr const char* crash_step_kind = "crash-step";

/// What a key holds after a step that found @p before.
crash_state after_step(const crash_state& before, std::uint64_t step);

/// The image that step saves under a key; small, large, with and without a preview in turn.
image crash_image(unsigned key, std::uint64_t step);

/// One line on the pipe: 'o' before the store is opened; 'b' before a step, 'd' when it is done, 'x' with a
/// message where it or opening failed; 'g' before a step of the group of documents, 'h' when it is done.
struct crash_note {
    char what = 0;
    unsigned key = 0;
    std::uint64_t step = 0;
    revision rev = 0;
    bool committed = false;
    std::string message;
};
std::optional<crash_note> parse_crash_note(const std::string& line);

/// main() of the process that is killed. Each thread has keys of its own; steps begin behind @p first_step.
int write_until_killed(const std::string& folder, std::uint64_t first_step);

/// Such a process. Its destructor fails the test unless the process was killed.
class writer_process {
public:
    writer_process(const std::string& folder, std::uint64_t first_step);
    writer_process(const writer_process&) = delete;
    writer_process& operator=(const writer_process&) = delete;
    ~writer_process();

    /// The next line; nothing where the process has ended and all lines were read.
    std::optional<std::string> line();
    /// With SIGKILL. What it has told remains to be read.
    void kill();

private:
    pid_t child_ = 0;
    FILE* told_ = nullptr;
};

}  // namespace gallery::contract

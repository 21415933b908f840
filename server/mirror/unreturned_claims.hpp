// SPDX-License-Identifier: Apache-2.0
/// Claims of a switch that has ended, in stores that did not answer when they were to be given back.
///
/// Until a claim is given back, no other server starts on its store. Giving back is therefore repeated in the
/// background, and the status says so. It ends when it succeeds, also because the claim is not the one of
/// this server any more; when the next switch uses the claim; or after a day, because then an operator has to
/// look after the store. The next start of the server gives the claim back in any case.
#pragma once

#include "mirror/status.hpp"

#include <gallery/document_store.hpp>
#include <gallery/error.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string>

namespace gallery::mirror {

struct mirror_options;

/// Threads: that of the mirror.
class unreturned_claims {
public:
    /// All arguments outlive it. Nothing else runs on @p context during a call.
    unreturned_claims(const mirror_options& options, status_board& board, asio::io_context& context)
        : options_(options), board_(board), context_(context) {}

    /// After a switch that was given up. @p why: the error of the first attempt.
    void note(bool of_source, bool of_target, const error& why);
    /// After a switch that was decided: the store of the server, which was the target, is to be released.
    void note_unreleased(const error& why);
    /// The claim of the target was given back, or the target is given up.
    void settle_target();
    /// All are settled, for instance because the next switch has used them.
    void settle();

    [[nodiscard]] bool has_target() const noexcept { return of_target_; }
    [[nodiscard]] bool is_pending() const noexcept { return is_any() && !is_given_up_; }

    /// Gives back what it can, if it is time for the next attempt. @p target: null if it is not open.
    void try_again(document_store& source, document_store* target);

private:
    using clock = std::chrono::steady_clock;

    [[nodiscard]] bool is_any() const noexcept { return of_source_ || of_target_; }
    void begin(bool of_source, bool of_target, bool is_decided, const error& why);
    [[nodiscard]] result<void> give_back(document_store& in);
    void show(const error& why);

    const mirror_options& options_;
    status_board& board_;
    asio::io_context& context_;
    bool of_source_ = false;  ///< of the store of the server
    bool of_target_ = false;
    bool is_decided_ = false;  ///< then the store of the server was the target
    bool is_given_up_ = false;
    clock::time_point next_;
    clock::time_point end_;
};

}  // namespace gallery::mirror

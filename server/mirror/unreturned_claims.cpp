// SPDX-License-Identifier: Apache-2.0
#include "mirror/unreturned_claims.hpp"

#include "mirror/run_to_end.hpp"
#include "mirror/runner.hpp"
#include "mirror/superseded.hpp"

namespace gallery::mirror {

void unreturned_claims::begin(bool of_source, bool of_target, bool is_decided, const error& why) {
    of_source_ = of_source;
    of_target_ = of_target;
    is_decided_ = is_decided;
    is_given_up_ = false;
    next_ = clock::now() + options_.retry;
    end_ = clock::now() + options_.longest_giving_back;
    show(why);
}

void unreturned_claims::note(bool of_source, bool of_target, const error& why) {
    begin(of_source, of_target, false, why);
}

void unreturned_claims::note_unreleased(const error& why) {
    begin(true, false, true, why);
}

void unreturned_claims::settle_target() {
    of_target_ = false;
    if (!is_any()) settle();
}

void unreturned_claims::settle() {
    of_source_ = of_target_ = is_given_up_ = false;
    board_.change([](mirror_status& s) { s.claim_problem.clear(); });
}

result<void> unreturned_claims::give_back(document_store& in) {
    if (is_decided_) return run_to_end(context_, release_store(in));
    return run_to_end(context_, give_back_store(in, options_.others->id()));
}

void unreturned_claims::try_again(document_store& source, document_store* target) {
    if (!is_pending() || clock::now() < next_) return;
    result<void> done;
    if (of_source_) {
        done = give_back(source);
        of_source_ = !done;
    }
    if (of_target_ && target != nullptr) {
        if (const auto given = give_back(*target); given)
            of_target_ = false;
        else
            done = given;
    }
    next_ = clock::now() + options_.retry;
    if (!is_any()) {
        settle();
        if (options_.log) options_.log(false, "mirror: the claims of the switch were given back");
        return;
    }
    if (clock::now() >= end_) is_given_up_ = true;
    if (!done) show(done.error());
    if (is_given_up_ && options_.log) options_.log(true, "mirror: " + board_.read().claim_problem);
}

void unreturned_claims::show(const error& why) {
    const std::string which = of_source_ && of_target_ ? "the store and the mirror"
                              : of_source_             ? "the store"
                                                       : "the mirror";
    const std::string text =
        "No other server starts on " + which + ": the claim of the last switch could not be given back. " +
        (is_given_up_ ? "It is not tried again. Restart this server when the store answers"
                      : "It is tried again every few seconds") +
        ". The last error: " + why.message;
    board_.change([&text](mirror_status& s) { s.claim_problem = text; });
}

}  // namespace gallery::mirror

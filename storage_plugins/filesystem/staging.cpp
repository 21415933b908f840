// SPDX-License-Identifier: Apache-2.0
// What the stages of writes have in common, and how a failed write is taken back.
#include "filesystem_store.hpp"
#include "names.hpp"

namespace gallery::file_store {

/// What was there stays under a name of its own until the commit, so that putting it back is a rename.
result<> filesystem_store::stage_file(const std::string& folder, const std::string& name,
                                      std::string_view text, reserve::part part, staged& ready) {
    const int root = root_.get();
    const auto path = folder + '/' + name;
    const auto temporary = folder + '/' + temporary_name();
    const auto before = folder + '/' + temporary_name();
    const auto give_up = [&](error why) {
        (void)remove_file(root, temporary);
        (void)remove_file(root, before);
        return why;
    };
    auto written = write_file(root, temporary, text);
    if (!written && written.error().code == errc::no_space) {
        (void)remove_file(root, temporary);
        written = reserve_->write_file(temporary, text, part);
    }
    if (!written) return give_up(written.error());

    const auto sync = [root, folder] { return sync_folder(root, folder); };
    if (can_exchange_) {
        const auto exchanged = exchange(root, temporary, path);
        if (exchanged && *exchanged) {
            ready.remains = temporary;
            ready.undo.then([root, temporary, path] { return rename_over(root, temporary, path); });
            ready.undo.then(sync);
            return {};
        }
        if (exchanged)
            can_exchange_ = false;
        else if (exchanged.error().code != errc::not_found)
            return give_up(exchanged.error());
    }
    auto kept = with_reserve([&] { return keep_file(root, path, before); });
    if (!kept && kept.error().code != errc::not_found) return give_up(kept.error());
    auto renamed = with_reserve([&] { return rename_over(root, temporary, path); });
    if (!renamed) return give_up(renamed.error());
    if (kept) {
        ready.remains = before;
        ready.undo.then([root, before, path] { return rename_over(root, before, path); });
    } else {
        ready.undo.then([root, path] { return remove_file(root, path); });
    }
    ready.undo.then(sync);
    return {};
}

result<> filesystem_store::stage_removal(const std::string& folder, const std::string& path,
                                         const std::string& remains, staged& ready) {
    const int root = root_.get();
    auto renamed = with_reserve([&] { return rename_new(root, path, remains); });
    if (!renamed && renamed.error().code == errc::not_found) return {};
    if (!renamed) return renamed;
    ready.remains = remains;
    ready.undo.then([root, path, remains] { return rename_new(root, remains, path); });
    ready.undo.then([root, folder] { return sync_folder(root, folder); });
    return {};
}

error filesystem_store::answer_of(error why) {
    // A folder that is not there is the store's affair: the image, where it was asked for one, was found.
    if (why.code == errc::not_found) why.code = errc::io_error;
    if (why.code != errc::unavailable) return why;
    stop_.set(why.message);
    return {errc::io_error, stop_.reason() + " The outcome of this write is unknown."};
}

task<error> filesystem_store::take_back(error why, undoing undo) {
    auto work = [this, why = std::move(why), undo = std::move(undo)]() mutable {
        return after_failure(std::move(why), std::move(undo));
    };
    co_return co_await offload(pool_, std::move(work));
}

error filesystem_store::after_failure(error why, undoing undo) {
    why = answer_of(std::move(why));
    const auto undone = undo();
    if (undone) return why;
    if (undone.error().code == errc::unavailable) stop_.set(undone.error().message);
    why.code = errc::io_error;
    why.message += " It could not be undone: " + undone.error().message + " The next write tries again.";
    committer_->owe(std::move(undo));
    return why;
}

}  // namespace gallery::file_store

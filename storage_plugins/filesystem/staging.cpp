// What the stages of writes have in common, and how a failed write is taken back.
#include "filesystem_store.hpp"
#include "names.hpp"

namespace gallery::file_store {

/// What was there stays under a name of its own until the commit, so that putting it back is a rename.
result<> filesystem_store::stage_file(const std::string& folder, const std::string& name,
                                      std::string_view text, staged& ready) {
    const int root = root_.get();
    const auto path = folder + '/' + name;
    const auto temporary = folder + '/' + temporary_name();
    const auto before = folder + '/' + temporary_name();
    auto done = write_file(root, temporary, text);
    bool is_new = false;
    if (done) {
        done = keep_file(root, path, before);
        is_new = !done && done.error().code == errc::not_found;
    }
    if (done || is_new) done = rename_over(root, temporary, path);
    if (!done) {
        (void)remove_file(root, temporary);
        (void)remove_file(root, before);
        return done;
    }
    if (is_new) {
        ready.undo.then([root, path] { return remove_file(root, path); });
    } else {
        ready.remains = before;
        ready.undo.then([root, before, path] { return rename_over(root, before, path); });
    }
    ready.undo.then([root, folder] { return sync_folder(root, folder); });
    return {};
}

result<> filesystem_store::stage_removal(const std::string& folder, const std::string& path,
                                         const std::string& remains, staged& ready) {
    const int root = root_.get();
    if (auto renamed = rename_new(root, path, remains); !renamed) return renamed;
    ready.remains = remains;
    ready.undo.then([root, path, remains] { return rename_new(root, remains, path); });
    ready.undo.then([root, folder] { return sync_folder(root, folder); });
    return {};
}

task<error> filesystem_store::take_back(error why, undoing undo) {
    auto work = [this, why = std::move(why), undo = std::move(undo)]() mutable {
        return after_failure(std::move(why), std::move(undo));
    };
    co_return co_await offload(pool_, std::move(work));
}

error filesystem_store::after_failure(error why, undoing undo) {
    const auto undone = undo();
    if (undone) return why;
    why.code = errc::io_error;
    why.message += " It could not be taken back: " + undone.error().message + " The next write tries again.";
    committer_->owe(std::move(undo));
    return why;
}

}  // namespace gallery::file_store

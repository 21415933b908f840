#include "revisions.hpp"

#include "files.hpp"
#include "names.hpp"

namespace gallery::file_store {
namespace {

constexpr const char* file_name = "revision";
constexpr revision block = 10'000;
constexpr revision early =
    2'000;  // reserved this long before the block ends, so that a full disk can be emptied

}  // namespace

result<revision> revisions::read() const {
    const auto path = folder_ + '/' + file_name;
    auto text = read_file(root_, path);
    if (!text && text.error().code == errc::not_found) return revision{0};
    if (!text) return text.error();
    if (text->ends_with('\n')) text->pop_back();
    const auto mark = parse_number(*text);
    if (!mark) return error{errc::corrupt, path + " is no number."};
    return *mark;
}

result<> revisions::begin(revision newest) {
    newest_ = newest;
    return reserve(newest_ + block);
}

result<> revisions::reserve(revision up_to) {
    auto written = replace_file(root_, folder_, file_name, std::to_string(up_to) + '\n');
    if (written) reserved_ = up_to;
    return written;
}

result<revision> revisions::next() {
    if (newest_ + early >= reserved_) {
        auto done = reserve(newest_ + block);
        if (!done && newest_ + 1 > reserved_) return done.error();
    }
    return ++newest_;
}

result<> revisions::close() {
    return reserve(newest_);
}

}  // namespace gallery::file_store

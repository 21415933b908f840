// SPDX-License-Identifier: Apache-2.0
/// A process that has no file descriptors left.
#pragma once

#include "boost_test.hpp"

#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace gallery::mirror::test {

/// While it exists, the process can open no more than @p left files.
class used_descriptors {
public:
    explicit used_descriptors(int left) {
        BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
        auto less = before_;
        less.rlim_cur = 256;
        BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &less) == 0);
        for (int one = open_one(); one >= 0; one = open_one())
            all_.push_back(one);
        for (; left > 0 && !all_.empty(); --left) {
            ::close(all_.back());
            all_.pop_back();
        }
    }
    used_descriptors(const used_descriptors&) = delete;
    used_descriptors& operator=(const used_descriptors&) = delete;
    ~used_descriptors() {
        for (const int one : all_)
            ::close(one);
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &before_));
    }

private:
    static int open_one() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

    rlimit before_{};
    std::vector<int> all_;
};

}  // namespace gallery::mirror::test

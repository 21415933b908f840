// SPDX-License-Identifier: Apache-2.0
/// Ends the suite with a word where a plugin does not answer, instead of waiting for ever.
#pragma once

#include <list>
#include <string>

namespace gallery::contract {

/// While it exists the plugin is at work. After under_test().limit the process ends with exit code 3 and says
/// the test case and @p call, whichever of the two the plugin does: it blocks the thread, or never resumes
/// it. Any thread.
class watched {
public:
    explicit watched(std::string call);
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;
    ~watched();

    struct entry;

private:
    std::list<entry>::iterator place_;
};

}  // namespace gallery::contract

// SPDX-License-Identifier: Apache-2.0
/// Tells other processes that there are changes, and hears of theirs.
#pragma once

#include "follower.hpp"
#include "session.hpp"
#include "signal.hpp"

#include <string>

namespace gallery::postgres {

/// Notifications are hints: a lost one costs the time until the next poll. They are sent after the commit in
/// a transaction of their own, because inside of it they would hold a lock of the whole database server until
/// the standbys have answered. Two connections; used on the engine's thread.
class listener {
public:
    listener(environment& in, dialer& servers, follower& feed);

    /// There is a commit of this process. Does not wait; several calls may become one notification.
    void tell() {
        has_news_ = true;
        wake_.set();
    }
    task<> run_sender();
    task<> run_receiver();
    void stop();

private:
    [[nodiscard]] std::string channel() const { return "gallery:" + in_.chosen.schema; }

    environment& in_;
    dialer& servers_;
    follower& follower_;
    connection sender_;
    connection receiver_;
    signal wake_;
    signal send_pause_;
    signal pause_;
    bool has_news_ = false;
    bool stopping_ = false;
};

}  // namespace gallery::postgres

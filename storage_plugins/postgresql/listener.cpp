// SPDX-License-Identifier: Apache-2.0
#include "listener.hpp"

#include "schema.hpp"

#include <algorithm>

namespace gallery::postgres {

constexpr std::chrono::milliseconds retry_after{500};

listener::listener(environment& in, dialer& servers, follower& feed)
    : in_(in),
      servers_(servers),
      follower_(feed),
      sender_(in.engine, in.chosen.timeout),
      receiver_(in.engine, in.chosen.timeout),
      wake_(in.engine),
      send_pause_(in.engine),
      pause_(in.engine) {}

task<> listener::run_sender() {
    while (!stopping_) {
        if (!sender_.is_open()) {
            auto opened = co_await servers_.open(sender_, durability::asynchronous);
            if (!opened) {
                co_await send_pause_.wait_for(retry_after);
                continue;
            }
        }
        if (!has_news_) {
            co_await wake_.wait();
            continue;
        }
        has_news_ = false;
        batch news;
        news.add(statement::notify, {of_text(channel()), of_text(to_string(in_.node))});
        auto sent = co_await sender_.run(std::move(news));
        if (sent.failed) {
            has_news_ = true;
            sender_.close();
        }
    }
}

task<> listener::run_receiver() {
    const auto own = to_string(in_.node);
    while (!stopping_) {
        auto opened = co_await servers_.dial(receiver_, durability::asynchronous);
        if (opened) {
            auto statement = "listen " + quoted_identifier(channel());
            auto listening = co_await receiver_.execute(std::move(statement));
            if (listening.failed) receiver_.close();
            // What was sent while nobody listened.
            follower_.hint();
        }
        while (receiver_.is_open() && !stopping_) {
            const auto senders = co_await receiver_.wait_for_notifications();
            if (std::any_of(senders.begin(), senders.end(),
                            [&](const auto& sender) { return sender != own; }))
                follower_.hint();
        }
        if (!stopping_) co_await pause_.wait_for(retry_after);
    }
}

void listener::stop() {
    stopping_ = true;
    sender_.abort();
    receiver_.abort();
    wake_.set();
    send_pause_.set();
    pause_.set();
}

}  // namespace gallery::postgres

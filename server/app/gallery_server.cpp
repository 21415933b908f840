// SPDX-License-Identifier: Apache-2.0
#include "app/gallery_server.hpp"

#include "app/parts.hpp"

#include <utility>

namespace gallery::app {

gallery_server::gallery_server(std::unique_ptr<parts> all) : parts_(std::move(all)) {}
gallery_server::~gallery_server() = default;

result<void> gallery_server::run_steps(parts& of, const start_options& options) {
    if (auto done = of.open_store(); !done) return done;
    if (auto done = of.start_threads(); !done) return done;
    if (auto done = of.load_accounts(); !done) return done;
    if (auto done = of.start_imaging(); !done) return done;
    if (auto done = of.make_services(); !done) return done;
    if (auto done = of.make_first_accounts(options); !done) return done;
    if (auto done = of.install_pictures(); !done) return done;
    if (auto done = of.add_routes(); !done) return done;
    return of.listen();
}

result<std::unique_ptr<gallery_server>> gallery_server::start(config::configuration configuration,
                                                              start_options options) {
    auto p = std::make_unique<parts>(std::move(configuration), options);
    if (auto done = run_steps(*p, options); !done) {
        p->leave_after_failed_start();
        return done.error();
    }
    p->begin_watchdog(options);
    return std::unique_ptr<gallery_server>(new gallery_server(std::move(p)));
}

const std::string& gallery_server::url() const noexcept {
    return parts_->url;
}

const start_report& gallery_server::report() const noexcept {
    return parts_->report;
}

/// The list of what SIGHUP does, in this order.
void gallery_server::hang_up() {
    // logrotate has given the file another name.
    parts_->reopen_logs();
    parts_->reload_by_signal();
}

bool gallery_server::stop() {
    return parts_->drain();
}

}  // namespace gallery::app

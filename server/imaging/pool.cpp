// SPDX-License-Identifier: Apache-2.0
#include "imaging/pool.hpp"

#include "imaging/job.hpp"
#include "imaging/preview_rules.hpp"
#include "imaging/recent_timeouts.hpp"
#include "imaging/time_budget.hpp"
#include "imaging/worker_process.hpp"
#include "turns/fair_queue.hpp"

#include <gallery/mutex.hpp>
#include <gallery/text.hpp>

#include <sys/eventfd.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace gallery::imaging {
namespace {

using clock = worker_process::clock;

// Confinement reads fonts and loads libraries; on a loaded machine that takes its time.
constexpr std::chrono::seconds start_timeout{60};

bool printable(std::string_view text) {
    return is_utf8(text) && std::ranges::none_of(text, [](char c) {
               const auto u = static_cast<unsigned char>(c);
               return u < 0x20 || u == 0x7f;
           });
}

// How often a picture is given to another worker because the one that had it was ended from outside.
constexpr int max_attempts = 3;

format kind_of(const body& original) {
    const auto* memory = original.memory();
    if (memory == nullptr) return format::unknown;
    // What is compressed and accepted is a drawing.
    return memory->view().starts_with("\x1f\x8b") ? format::svg : sniff(memory->view()).kind;
}

// "The SVG image"; of a file that is no image and occupied a worker all the same, "The picture".
std::string the_picture(format kind) {
    return kind == format::unknown ? "The picture" : "The " + std::string(display_name(kind)) + " image";
}

error not_decodable(format kind, const std::string& why) {
    return {errc::not_an_image, the_picture(kind) + " cannot be decoded: " + why};
}

error decoder_failed(format kind) {
    return not_decodable(kind,
                         "the decoder failed on it. Save it again with another program, or simplify it.");
}

// 2500 ms as "2.5 seconds".
std::string in_seconds(std::chrono::milliseconds time) {
    auto text = std::to_string(time.count() / 1000);
    if (const auto tenths = time.count() / 100 % 10; tenths != 0) text += "." + std::to_string(tenths);
    return text + " seconds";
}

error not_at_the_moment() {
    return {errc::unavailable, "Pictures cannot be decoded at the moment. Try again later."};
}

// An image may have compromised a worker: its answers are checked, not trusted.
std::optional<picture> believable(worker_process::exchanged& said, const body& original) {
    const auto& a = said.answer;
    picture p;
    p.kind = static_cast<format>(a.kind);
    const bool own = a.preview_is_original == 1;
    if (p.kind == format::unknown || a.preview_is_original > 1 || a.width == 0 || a.height == 0 ||
        a.frames == 0 || own != said.preview.empty()) {
        return std::nullopt;
    }
    const std::string_view shown = said.document;
    const auto* memory = original.memory();
    if (!shown.empty() ? p.kind != format::svg || sniff(shown).kind != p.kind
                       : memory != nullptr && sniff(memory->view()).kind != p.kind) {
        return std::nullopt;
    }
    p.media_type = media_type(p.kind);
    p.width = a.width;
    p.height = a.height;
    p.frames = a.frames;
    p.preview_is_original = own;
    p.preview_width = own ? a.width : a.preview_width;
    p.preview_height = own ? a.height : a.preview_height;
    p.preview_media_type = own ? p.media_type : "image/png";
    if (!own && (p.preview_width == 0 || p.preview_width > large_svg_side || p.preview_height == 0 ||
                 p.preview_height > large_svg_side || sniff(said.preview).kind != format::png)) {
        return std::nullopt;
    }
    p.preview = bytes::own(std::move(said.preview));
    if (!said.document.empty()) p.document = bytes::own(std::move(said.document));
    if (p.kind == format::svg && printable(said.text)) p.svg_title = std::move(said.text);
    return p;
}

}  // namespace

class pool::state {
public:
    explicit state(pool_options options)
        : options_(std::move(options)),
          stop_event_(::eventfd(0, EFD_CLOEXEC)),
          limits_(options_),
          queue_(limits_.max_queued_per_tenant, limits_.max_queued) {
        limits_.workers = std::max(1U, limits_.workers);
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() {
        if (stop_event_ >= 0) ::close(stop_event_);
    }

    std::optional<error> start();
    std::optional<error> apply(pool_limits limits);
    void stop() noexcept;
    void enqueue(job j);
    /// Takes the job unless it is refused.
    std::optional<error> try_enqueue(job& j);
    pool_stats stats() const;
    std::string confinement() const { return describe_layers(layers_.load()); }

private:
    /// A thread with a worker.
    struct feeder {
        std::thread thread;
        bool has_ended = false;  ///< under mutex_: the thread uses the pool no more
        std::size_t place = 0;   ///< in pool_stats::workers; that of no other one that has not ended
        std::unique_ptr<worker_process> worker;  ///< used by the thread only
    };
    struct assignment {
        job what;
        pool_limits limits;
    };

    void feed(feeder& me);
    /// Nothing where the feeder is to end.
    std::optional<assignment> next(feeder& me);
    std::optional<error> add_feeders(unsigned count) GALLERY_REQUIRES(mutex_);
    void join_ended_feeders();
    std::size_t free_place() const GALLERY_REQUIRES(mutex_);
    bool ready(feeder& me, std::uint32_t memory_mib, std::optional<error>& why);
    result<picture> inspect(feeder& me, const job& j, const pool_limits& limits);
    result<picture> concluded(feeder& me, worker_process::exchanged said, const job& j,
                              std::chrono::milliseconds allowed, std::uint32_t memory_mib);
    void lose(feeder& me, std::uint64_t pool_stats::*counter, const std::string& what, const job& j);
    bool took_too_long_before(const sha256_digest& content) const {
        const lock_guard lock(mutex_);
        return too_slow_.contains(content, clock::now());
    }
    void log(const std::string& text) const {
        if (options_.log) options_.log(text);
    }

    const pool_options options_;  ///< limits_ has what can change
    const int stop_event_;
    std::atomic<std::uint32_t> layers_ = 0;

    mutable mutex mutex_;
    condition_variable changed_;
    pool_limits limits_ GALLERY_GUARDED_BY(mutex_);
    std::list<feeder> feeders_ GALLERY_GUARDED_BY(mutex_);  ///< which refer to themselves
    /// Feeders that are not about to end; more than limits_.workers for as long as surplus ones are at work.
    unsigned running_ GALLERY_GUARDED_BY(mutex_) = 0;
    fair_queue<tenant_id, job> queue_ GALLERY_GUARDED_BY(mutex_);
    mutable recent_timeouts too_slow_ GALLERY_GUARDED_BY(mutex_);
    std::optional<error> start_failure_ GALLERY_GUARDED_BY(mutex_);
    /// Workers of the last add_feeders() whose start succeeded or failed.
    unsigned reported_ GALLERY_GUARDED_BY(mutex_) = 0;
    bool stopping_ GALLERY_GUARDED_BY(mutex_) = false;
    pool_stats stats_ GALLERY_GUARDED_BY(mutex_);
};

std::optional<error> pool::state::start() {
    if (stop_event_ < 0)
        return error{errc::unavailable, "The imaging pool cannot start: no descriptor is left."};
    const lock_guard lock(mutex_);
    return add_feeders(limits_.workers);
}

// Waits for their workers, with mutex_ released.
std::optional<error> pool::state::add_feeders(unsigned count) {
    reported_ = 0;
    start_failure_.reset();
    unsigned added = 0;
    try {
        for (; added < count; ++added) {
            const auto place = free_place();
            if (place == stats_.workers.size()) stats_.workers.emplace_back();
            auto& one = feeders_.emplace_back();
            one.place = place;
            one.has_ended = true;  // until there is a thread
            one.thread = std::thread([this, &one] { feed(one); });
            one.has_ended = false;
            ++running_;
        }
    } catch (const std::system_error& thrown) {
        start_failure_ = error{errc::unavailable,
                               std::string("A thread for an imaging worker cannot start: ") + thrown.what()};
    }
    while (reported_ != added && !stopping_)
        changed_.wait(mutex_);
    return start_failure_;
}

std::size_t pool::state::free_place() const {
    std::size_t place = 0;
    const auto is_taken = [&place](const feeder& one) { return !one.has_ended && one.place == place; };
    while (std::ranges::any_of(feeders_, is_taken))
        ++place;
    return place;
}

std::optional<error> pool::state::apply(pool_limits limits) {
    limits.workers = std::max(1U, limits.workers);
    join_ended_feeders();
    const error is_stopping{errc::unavailable, "The server is stopping."};
    const lock_guard lock(mutex_);
    if (stopping_) return is_stopping;
    const auto before = limits_.workers;
    // None of them ends meanwhile.
    limits_.workers = std::max(limits.workers, before);
    const auto missing = limits.workers > running_ ? limits.workers - running_ : 0;
    if (auto why = add_feeders(missing)) {
        limits_.workers = before;
        changed_.notify_all();  // those that did start end
        return why;
    }
    if (stopping_) return is_stopping;
    // What took too long may not do so now.
    if (limits.timeout > limits_.timeout) too_slow_.clear();
    limits_ = limits;
    queue_.set_limits(limits.max_queued_per_tenant, limits.max_queued);
    changed_.notify_all();
    return std::nullopt;
}

void pool::state::join_ended_feeders() {
    std::list<feeder> ended;
    {
        const lock_guard lock(mutex_);
        for (auto at = feeders_.begin(); at != feeders_.end();) {
            const auto one = at++;
            if (one->has_ended) ended.splice(ended.end(), feeders_, one);
        }
    }
    for (auto& one : ended)
        if (one.thread.joinable()) one.thread.join();
}

void pool::state::stop() noexcept {
    std::list<feeder> all;
    {
        const lock_guard lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
        all.swap(feeders_);
    }
    ::eventfd_write(stop_event_, 1);
    changed_.notify_all();
    for (auto& one : all)
        if (one.thread.joinable()) one.thread.join();
    // The feeder threads have ended; the waiting jobs are answered here.
    const lock_guard lock(mutex_);
    for (auto& j : queue_.clear()) {
        j.complete(error{errc::unavailable, "The server is stopping; the picture was not decoded."});
    }
}

void pool::state::enqueue(job j) {
    if (auto refused = try_enqueue(j)) return j.complete(std::move(*refused));
    changed_.notify_all();
}

std::optional<error> pool::state::try_enqueue(job& j) {
    const lock_guard lock(mutex_);
    if (stopping_) return error{errc::unavailable, "The server is stopping; the picture was not decoded."};
    using enum fair_queue<tenant_id, job>::room;
    const auto room = queue_.room_for(j.tenant());
    if (room == user_is_full)
        return error{errc::too_many_requests, "At most " + std::to_string(limits_.max_queued_per_tenant) +
                                                  " pictures of a tenant can wait to be decoded. Try "
                                                  "again later, with fewer at a time."};
    if (room != yes)
        return error{errc::busy, "Too many pictures are waiting to be decoded. Try again later."};
    const auto tenant = j.tenant();
    queue_.push(tenant, std::move(j));
    return std::nullopt;
}

auto pool::state::next(feeder& me) -> std::optional<assignment> {
    const lock_guard lock(mutex_);
    while (!stopping_ && running_ <= limits_.workers && queue_.size() == 0)
        changed_.wait(mutex_);
    if (stopping_ || running_ > limits_.workers) {
        --running_;
        me.has_ended = true;
        return std::nullopt;
    }
    ++stats_.busy;
    return assignment{std::move(*queue_.take()), limits_};
}

pool_stats pool::state::stats() const {
    const lock_guard lock(mutex_);
    auto copy = stats_;
    copy.queued = queue_.size();
    return copy;
}

// Makes sure that there is a worker with nothing to do.
bool pool::state::ready(feeder& me, std::uint32_t memory_mib, std::optional<error>& why) {
    auto& worker = me.worker;
    if (worker && worker->idle_and_alive()) return true;
    if (worker) log("An idle imaging worker ended with " + worker->reap() + "; another one is started.");
    worker.reset();
    const worker_process::start_options how{options_.worker, memory_mib, stop_event_};
    auto started = worker_process::start(how, clock::now() + start_timeout);
    if (!started) {
        why = started.error();
        return false;
    }
    worker = std::move(*started);
    layers_ = worker->greeting().layers;
    const lock_guard lock(mutex_);
    ++stats_.starts;
    ++stats_.workers[me.place].starts;
    return true;
}

// One thread: a worker and the pictures it is given.
void pool::state::feed(feeder& me) {
    auto& worker = me.worker;
    std::uint32_t memory_mib = 0;
    {
        const lock_guard lock(mutex_);
        memory_mib = limits_.worker_memory_mib;
    }
    std::optional<error> why;
    const bool is_ready = ready(me, memory_mib, why);
    {
        const lock_guard lock(mutex_);
        ++reported_;
        if (!is_ready) {
            start_failure_ = std::move(why);
            --running_;
            me.has_ended = true;
        }
    }
    changed_.notify_all();
    if (!is_ready) return;
    unsigned served = 0;
    while (auto assigned = next(me)) {
        auto* const j = &assigned->what;
        const auto& limits = assigned->limits;
        if (memory_mib != limits.worker_memory_mib) {
            memory_mib = limits.worker_memory_mib;
            worker.reset();
        }
        const auto begun = clock::now();
        auto outcome = inspect(me, *j, limits);
        const auto taken = clock::now() - begun;
        {
            const lock_guard lock(mutex_);
            --stats_.busy;
            auto& mine = stats_.workers[me.place];
            ++mine.pictures;
            mine.busy += taken;
            queue_.done(j->tenant(), taken);
            if (outcome)
                ++stats_.pictures;
            else if (outcome.error().code == errc::not_an_image)
                ++stats_.refused;
        }
        j->complete(std::move(outcome));
        if (++served >= options_.pictures_per_worker) {
            worker.reset();
            served = 0;
        }
        // The next picture shall find a worker ready. A failure is met again, and told, with that picture.
        if (!worker) {
            std::optional<error> failure;
            if (!ready(me, memory_mib, failure)) log(failure->message);
        }
    }
    worker.reset();
}

result<picture> pool::state::inspect(feeder& me, const job& j, const pool_limits& limits) {
    auto& worker = me.worker;
    const auto& original = j.original();
    if (original.size() == 0) return error{errc::not_an_image, not_an_image_text(sniff({}))};
    const auto kind = kind_of(original);
    if (took_too_long_before(j.content())) {
        return not_decodable(kind,
                             "that took too long a short time ago. The same file is not tried again for " +
                                 std::to_string(recent_timeouts::remembered.count()) + " minutes.");
    }
    using std::chrono::ceil;
    using std::chrono::seconds;
    const auto allowed = time_budget(kind, original.size(), limits.timeout);
    protocol::request request;
    request.size = original.size();
    request.max_pixels = limits.max_pixels;
    request.max_total_pixels = limits.max_total_pixels;
    request.max_frames = limits.max_frames;
    request.max_svg_bytes = limits.max_svg_bytes;
    request.cpu_seconds = static_cast<std::uint32_t>(ceil<seconds>(allowed).count());
    // A worker that is killed from outside does not fail the upload.
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        std::optional<error> why;
        if (!ready(me, limits.worker_memory_mib, why)) {
            log(why->message);
            return not_at_the_moment();
        }
        const int descriptor = open_for_worker(original, request.offset);
        if (descriptor < 0) {
            log(std::string("A picture cannot be handed to an imaging worker: ") + ::strerrordesc_np(errno) +
                ".");
            return error{errc::io_error, "The picture cannot be handed to the decoder. Try again later."};
        }
        auto said = worker->exchange(request, descriptor, clock::now() + allowed);
        ::close(descriptor);
        if (said.how == worker_process::ending::not_sent) {
            worker.reset();
        } else if (said.how == worker_process::ending::interrupted) {
            lose(me, &pool_stats::interrupted, "was killed or stopped from outside", j);
        } else {
            return concluded(me, std::move(said), j, allowed, limits.worker_memory_mib);
        }
    }
    return not_at_the_moment();
}

void pool::state::lose(feeder& me, std::uint64_t pool_stats::*counter, const std::string& what,
                       const job& j) {
    const auto how = me.worker->reap();
    me.worker.reset();
    {
        const lock_guard lock(mutex_);
        ++(stats_.*counter);
        ++stats_.workers[me.place].failures;
    }
    const std::string of = j.request_id().empty() ? "" : " of the request [" + j.request_id() + "]";
    log("An imaging worker " + what + " (" + how + ") while it decoded a picture of " +
        std::to_string(j.original().size()) + " bytes" + of + "; another one is started.");
}

result<picture> pool::state::concluded(feeder& me, worker_process::exchanged said, const job& j,
                                       std::chrono::milliseconds allowed, std::uint32_t memory_mib) {
    using enum worker_process::ending;
    using protocol::outcome;
    const auto kind = kind_of(j.original());
    switch (said.how) {
        case answered:
            break;
        case stopped:
            me.worker.reset();
            return error{errc::unavailable, "The server is stopping; the picture was not decoded."};
        case timed_out: {
            lose(me, &pool_stats::timeouts, "missed its deadline and was killed", j);
            const lock_guard lock(mutex_);
            too_slow_.add(j.content(), clock::now());
            return not_decodable(kind, "that takes more than " + in_seconds(allowed) + ".");
        }
        case violated_protocol:
            lose(me, &pool_stats::crashes, "sent a malformed reply", j);
            return decoder_failed(kind);
        default:
            lose(me, &pool_stats::crashes, "crashed", j);
            return decoder_failed(kind);
    }
    const auto what = static_cast<outcome>(said.answer.outcome);
    if (what == outcome::out_of_memory) {
        lose(me, &pool_stats::exhausted, "used up its memory", j);
        return not_decodable(kind, "that takes more than " + std::to_string(memory_mib) +
                                       " MiB of memory (IMAGE_WORKER_MEMORY).");
    }
    if (what == outcome::picture) {
        if (auto p = believable(said, j.original())) return std::move(*p);
        lose(me, &pool_stats::crashes, "sent an impossible reply", j);
        return decoder_failed(kind);
    }
    if (!printable(said.text) || said.text.empty()) said.text = "The picture cannot be decoded.";
    return error{what == outcome::fault ? errc::io_error : errc::not_an_image, std::move(said.text)};
}

pool::pool(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}

pool::~pool() {
    stop();
}

result<std::unique_ptr<pool>> pool::start(pool_options options) {
    std::unique_ptr<pool> self(new pool(std::make_unique<state>(std::move(options))));
    if (auto why = self->state_->start()) return std::move(*why);
    return self;
}

task<result<picture>> pool::inspect(upload what) {
    auto start = [where = state_.get(),
                  taken = std::move(what)](resumption<result<picture>> waiting) mutable {
        where->enqueue(job(std::move(taken), std::move(waiting)));
    };
    co_return co_await suspend<result<picture>>(std::move(start));
}

result<void> pool::apply(const pool_limits& limits) {
    if (auto why = state_->apply(limits)) return std::move(*why);
    return {};
}

void pool::stop() noexcept {
    state_->stop();
}

pool_stats pool::stats() const {
    return state_->stats();
}

std::string pool::confinement() const {
    return state_->confinement();
}

}  // namespace gallery::imaging

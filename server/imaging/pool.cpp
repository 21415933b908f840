#include "imaging/pool.hpp"

#include "imaging/job.hpp"
#include "imaging/preview_rules.hpp"
#include "imaging/worker_process.hpp"

#include <gallery/text.hpp>

#include <sys/eventfd.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

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

error not_decodable(std::string why) {
    return {errc::not_an_image, "The picture cannot be decoded: " + why};
}

// A worker may have been taken over by a picture: what it says is checked, not believed.
std::optional<picture> believable(worker_process::exchanged& said, const body& original) {
    const auto& a = said.answer;
    picture p;
    p.kind = static_cast<format>(a.kind);
    const bool own = a.preview_is_original == 1;
    if (p.kind == format::unknown || a.preview_is_original > 1 || a.width == 0 || a.height == 0 ||
        a.frames == 0 || own != said.preview.empty()) {
        return std::nullopt;
    }
    if (const auto* memory = original.memory(); memory != nullptr && sniff(memory->view()).kind != p.kind) {
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
    if (p.kind == format::svg && printable(said.text)) p.svg_title = std::move(said.text);
    return p;
}

}  // namespace

class pool::state {
public:
    explicit state(pool_options options)
        : options_(std::move(options)), stop_event_(::eventfd(0, EFD_CLOEXEC)) {}
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() {
        if (stop_event_ >= 0) ::close(stop_event_);
    }

    std::optional<error> start();
    void stop() noexcept;
    void enqueue(std::unique_ptr<job> j);
    pool_stats stats() const;
    std::string confinement() const { return describe_layers(layers_.load()); }

private:
    void feed();
    std::unique_ptr<job> next();
    bool ready(std::unique_ptr<worker_process>& worker, std::optional<error>& why);
    result<picture> inspect(std::unique_ptr<worker_process>& worker, const body& original);
    result<picture> concluded(std::unique_ptr<worker_process>& worker, worker_process::exchanged said,
                              const body& original);
    void log(const std::string& text) const {
        if (options_.log) options_.log(text);
    }

    const pool_options options_;
    const int stop_event_;
    std::vector<std::thread> threads_;
    std::atomic<std::uint32_t> layers_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<job>> queue_;
    std::optional<error> start_failure_;
    unsigned reported_ = 0;  // workers whose first start succeeded or failed
    bool stopping_ = false;
    pool_stats stats_;
};

std::optional<error> pool::state::start() {
    if (stop_event_ < 0)
        return error{errc::unavailable, "The imaging pool cannot start: no descriptor is left."};
    const unsigned count = std::max(1u, options_.workers);
    for (unsigned i = 0; i < count; ++i)
        threads_.emplace_back([this] { feed(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reported_ == count; });
    return start_failure_;
}

void pool::state::stop() noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
    }
    ::eventfd_write(stop_event_, 1);
    changed_.notify_all();
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
    // The feeders are gone; what still waits is answered here.
    for (auto& j : std::exchange(queue_, {})) {
        j->complete(error{errc::unavailable, "The server is stopping; the picture was not looked at."});
    }
}

void pool::state::enqueue(std::unique_ptr<job> j) {
    std::unique_lock lock(mutex_);
    if (stopping_) {
        lock.unlock();
        return j->complete(
            error{errc::unavailable, "The server is stopping; the picture was not looked at."});
    }
    if (queue_.size() >= options_.max_queued) {
        lock.unlock();
        return j->complete(
            error{errc::busy, "Too many pictures are waiting to be looked at; try again later."});
    }
    queue_.push_back(std::move(j));
    lock.unlock();
    changed_.notify_all();
}

std::unique_ptr<job> pool::state::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return nullptr;
    auto j = std::move(queue_.front());
    queue_.pop_front();
    ++stats_.busy;
    return j;
}

pool_stats pool::state::stats() const {
    const std::lock_guard lock(mutex_);
    auto copy = stats_;
    copy.queued = queue_.size();
    return copy;
}

// Makes sure that there is a worker with nothing to do.
bool pool::state::ready(std::unique_ptr<worker_process>& worker, std::optional<error>& why) {
    if (worker && worker->idle_and_alive()) return true;
    if (worker) log("An idle imaging worker ended with " + worker->reap() + "; another one is started.");
    worker.reset();
    const worker_process::start_options how{options_.worker, options_.worker_memory_mib, stop_event_};
    auto started = worker_process::start(how, clock::now() + start_timeout);
    if (!started) {
        why = started.error();
        return false;
    }
    worker = std::move(*started);
    layers_ = worker->greeting().layers;
    const std::lock_guard lock(mutex_);
    ++stats_.starts;
    return true;
}

// One thread: a worker and the pictures it is given.
void pool::state::feed() {
    std::unique_ptr<worker_process> worker;
    {
        std::optional<error> why;
        ready(worker, why);
        const std::lock_guard lock(mutex_);
        ++reported_;
        if (why) start_failure_ = std::move(why);
    }
    changed_.notify_all();
    unsigned served = 0;
    while (auto j = next()) {
        auto outcome = inspect(worker, j->original());
        {
            const std::lock_guard lock(mutex_);
            --stats_.busy;
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
            std::optional<error> why;
            if (!ready(worker, why)) log(why->message);
        }
    }
}

result<picture> pool::state::inspect(std::unique_ptr<worker_process>& worker, const body& original) {
    if (original.size() == 0) return error{errc::not_an_image, not_an_image_text(sniff({}))};
    using std::chrono::ceil;
    using std::chrono::seconds;
    protocol::request request;
    request.size = original.size();
    request.max_pixels = options_.max_pixels;
    request.max_frames = options_.max_frames;
    request.max_svg_bytes = options_.max_svg_bytes;
    request.cpu_seconds = static_cast<std::uint32_t>(ceil<seconds>(options_.timeout).count());
    // A worker that ended just before it was asked costs nobody a picture.
    for (int attempt = 0; attempt < 2; ++attempt) {
        std::optional<error> why;
        if (!ready(worker, why)) return *why;
        const int descriptor = open_for_worker(original, request.offset);
        if (descriptor < 0) {
            return error{errc::io_error, std::string("The picture cannot be handed to the imaging worker: ") +
                                             ::strerrordesc_np(errno) + "."};
        }
        auto said = worker->exchange(request, descriptor, clock::now() + options_.timeout);
        ::close(descriptor);
        if (said.how != worker_process::ending::not_sent) return concluded(worker, std::move(said), original);
        worker.reset();
    }
    return error{errc::unavailable,
                 "The imaging workers end as soon as they are started; see the server's log."};
}

result<picture> pool::state::concluded(std::unique_ptr<worker_process>& worker,
                                       worker_process::exchanged said, const body& original) {
    using enum worker_process::ending;
    using protocol::outcome;
    const auto lose = [&](std::uint64_t pool_stats::*counter, const std::string& what) {
        const auto how = worker->reap();
        worker.reset();
        {
            const std::lock_guard lock(mutex_);
            ++(stats_.*counter);
        }
        log("An imaging worker " + what + " (" + how + ") over a picture of " +
            std::to_string(original.size()) + " bytes; another one is started.");
    };
    const auto seconds = std::to_string(options_.timeout.count() / 1000) + " seconds";
    switch (said.how) {
        case answered:
            break;
        case stopped:
            worker.reset();
            return error{errc::unavailable, "The server is stopping; the picture was not looked at."};
        case timed_out:
            lose(&pool_stats::timeouts, "missed its deadline and was killed");
            return not_decodable("that takes more than " + seconds + ".");
        case violated_protocol:
            lose(&pool_stats::crashes, "talked nonsense");
            return not_decodable("the decoder fails over it.");
        default:
            lose(&pool_stats::crashes, "crashed");
            return not_decodable("the decoder fails over it.");
    }
    const auto what = static_cast<outcome>(said.answer.outcome);
    if (what == outcome::out_of_memory) {
        lose(&pool_stats::exhausted, "used up its memory");
        return not_decodable("that takes more than " + std::to_string(options_.worker_memory_mib) +
                             " MiB of memory.");
    }
    if (what == outcome::picture) {
        if (auto p = believable(said, original)) return std::move(*p);
        lose(&pool_stats::crashes, "answered what cannot be");
        return not_decodable("the decoder fails over it.");
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

task<result<picture>> pool::inspect(body original) {
    auto start = [](auto handler, state* where, body&& what) {
        using job_type = handler_job<decltype(handler)>;
        where->enqueue(std::make_unique<job_type>(std::move(what), std::move(handler)));
    };
    state* where = state_.get();
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<io_executor>, void(result<picture>)>(
        start, use_task, where, std::move(original));
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

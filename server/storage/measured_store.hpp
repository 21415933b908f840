/// A store that looks at what another one answers, and measures it. The server has no other way to an engine.
///
/// Answers that cannot be (soundness.hpp) become errors here, so that nobody behind this has to expect them.
/// Of the two operations that every request makes, find and read, one in sample_rate is measured; what an
/// engine has in memory is answered without a coroutine of our own, so that this costs the hot path a counter
/// and a comparison. All other operations are measured each time.
#pragma once

#include <gallery/storage.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gallery::storage {

enum class operation : std::uint8_t {
    find,
    read,
    list,
    scan,
    save,
    update,
    erase,
    documents,
    changes,
    check
};
inline constexpr std::size_t operation_count = 10;

/// "find", "read", ...
std::string_view to_string(operation what) noexcept;

/// Times of one operation, counted into buckets. All threads add at once.
class latencies {
public:
    /// Upper bounds of the buckets in seconds; what is above the last is in one more.
    static constexpr std::array<double, 14> bounds{0.000'01, 0.000'025, 0.000'05, 0.000'1, 0.000'25,
                                                   0.000'5,  0.001,     0.002'5,  0.005,   0.01,
                                                   0.05,     0.1,       0.5,      2.5};

    void add(double seconds, bool failed) noexcept;

    struct figures {
        std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< of each bucket, not cumulated
        double sum = 0;                                         ///< seconds
        std::uint64_t errors = 0;
    };
    [[nodiscard]] figures read() const noexcept;

private:
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
    std::atomic<std::uint64_t> nanoseconds_{0};
    std::atomic<std::uint64_t> errors_{0};
};

/// Threads and errors: those of the store inside; besides them corrupt for a body that does not fit its
/// record, and internal for other answers that cannot be. Of read_now() and its like these are empty, and the
/// coroutine says why. Errors counted are those that are not an answer: not_found and stale are answers.
class measured_store final : public image_store {
public:
    static constexpr unsigned sample_rate = 64;

    /// @p engine is the plugin's name, for errors.
    measured_store(std::unique_ptr<image_store> inner, std::string engine)
        : inner_(std::move(inner)), engine_(std::move(engine)) {}

    [[nodiscard]] latencies::figures figures(operation what) const noexcept;

    task<result<record_ptr>> find(tenant_id tenant, std::string key) override;
    task<result<record_ptr>> find_by_id(image_id id) override;
    task<result<record_ptr>> find_by_public_key(std::string public_key) override;
    task<result<body>> read(record_ptr record, representation which) override;
    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override;
    std::optional<record_ptr> find_by_public_key_now(std::string_view public_key) override;
    std::optional<body> read_now(const image_record& record, representation which) override;
    task<result<image_page>> list(image_query query) override;
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override;
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     precondition condition) override;
    task<result<write_outcome>> update(image_record record, precondition condition) override;
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, precondition condition) override;
    task<result<document>> find_document(std::string kind, std::string id) override;
    task<result<scan_page<document>>> scan_documents(std::string kind, std::string cursor,
                                                     std::size_t limit) override;
    task<result<write_outcome>> save_document(document doc, precondition condition) override;
    task<result<write_outcome>> erase_document(std::string kind, std::string id,
                                               precondition condition) override;
    task<result<change_batch>> changes(revision after, std::size_t limit) override;
    task<result<revision>> last_change() override { return inner_->last_change(); }
    void on_change(std::function<void()> notify) override { inner_->on_change(std::move(notify)); }
    task<result<check_report>> check() override;
    [[nodiscard]] write_state writing() const override { return inner_->writing(); }
    [[nodiscard]] std::vector<std::pair<std::string, double>> statistics() const override {
        return inner_->statistics();
    }

private:
    latencies& of(operation what) noexcept;
    template <class T, class Look>
    task<result<T>> measure(operation what, task<result<T>> inner, Look look);
    template <class T, class Look>
    task<result<T>> sample(operation what, task<result<T>> inner, Look look);

    std::unique_ptr<image_store> inner_;
    std::string engine_;
    std::array<latencies, operation_count> latencies_;
};

}  // namespace gallery::storage

// SPDX-License-Identifier: Apache-2.0
// The system calls that remain. Everything else fails with EPERM, which libraries bear better than being
// killed, and which says in a test what was refused.
#include "imaging/protocol.hpp"
#include "imaging/worker/confinement.hpp"
#include "imaging/worker/fonts.hpp"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cerrno>
#include <initializer_list>

namespace gallery::imaging::worker {
namespace {

class filter {
public:
    filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}
    filter(const filter&) = delete;
    filter& operator=(const filter&) = delete;
    ~filter() {
        if (context_ != nullptr) ::seccomp_release(context_);
    }

    template <class... Compare>
    void rule(std::uint32_t action, int call, Compare... compare) {
        if (context_ == nullptr || call == __NR_SCMP_ERROR) return;
        good_ = ::seccomp_rule_add(context_, action, call, sizeof...(compare), compare...) == 0 && good_;
    }
    bool load() {
        if (context_ == nullptr || !good_) return false;
        ::seccomp_attr_set(context_, SCMP_FLTATR_CTL_TSYNC, 1);
        return ::seccomp_load(context_) == 0;
    }

private:
    scmp_filter_ctx context_;
    bool good_ = true;
};

}  // namespace

bool enter_seccomp() {
    filter f;
    // Memory (never executable), threads, time, signals, ending.
    for (const int call : {SCMP_SYS(munmap),
                           SCMP_SYS(mremap),
                           SCMP_SYS(madvise),
                           SCMP_SYS(brk),
                           SCMP_SYS(futex),
                           SCMP_SYS(set_robust_list),
                           SCMP_SYS(rseq),
                           SCMP_SYS(sched_yield),
                           SCMP_SYS(sched_getaffinity),
                           SCMP_SYS(sched_getattr),
                           SCMP_SYS(gettid),
                           SCMP_SYS(getpid),
                           SCMP_SYS(clock_gettime),
                           SCMP_SYS(clock_getres),
                           SCMP_SYS(clock_nanosleep),
                           SCMP_SYS(nanosleep),
                           SCMP_SYS(gettimeofday),
                           SCMP_SYS(time),
                           SCMP_SYS(rt_sigprocmask),
                           SCMP_SYS(rt_sigaction),
                           SCMP_SYS(rt_sigreturn),
                           SCMP_SYS(sigaltstack),
                           SCMP_SYS(restart_syscall),
                           SCMP_SYS(exit),
                           SCMP_SYS(exit_group),
                           SCMP_SYS(getrandom),
                           SCMP_SYS(getrusage),
                           SCMP_SYS(sysinfo),
                           SCMP_SYS(getrlimit)}) {
        f.rule(SCMP_ACT_ALLOW, call);
    }
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    // abort() sends a signal to the own process; no other target is allowed.
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())));
    // Threads, but no processes and no namespaces. The flags of clone3 lie in memory where a filter cannot
    // see them, so glibc is told to use clone.
    f.rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
    constexpr scmp_datum_t thread_flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, thread_flags, thread_flags));
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, 15));  // PR_SET_NAME
    // Limits of its own, to re-arm the processor time.
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(setrlimit));
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0));
    // What is open already. Writing goes to the server's socket and to standard error only.
    for (const int call :
         {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat)}) {
        f.rule(SCMP_ACT_ALLOW, call);
    }
    constexpr scmp_datum_t at_empty_path = 0x1000;  // fstat as glibc does it
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), SCMP_A3(SCMP_CMP_MASKED_EQ, at_empty_path, at_empty_path));
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_LE, 4));     // up to F_SETFL
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, 1030));  // F_DUPFD_CLOEXEC
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(write), SCMP_A0(SCMP_CMP_EQ, 2));
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(writev), SCMP_A0(SCMP_CMP_EQ, 2));
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), SCMP_A0(SCMP_CMP_EQ, protocol::worker_descriptor));
    f.rule(SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), SCMP_A0(SCMP_CMP_EQ, protocol::worker_descriptor));
    // Opening files and asking for them is answered by our own handler, which knows the fonts that are open
    // already and nothing else.
    if (fonts_answer_calls()) {
        for (const int call :
             {SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2)})
            f.rule(SCMP_ACT_TRAP, call);
    }
    return f.load();
}

}  // namespace gallery::imaging::worker

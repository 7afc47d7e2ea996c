// The fibers behind shim.h.
#include "shim.h"

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <ucontext.h>

namespace shim {

thread_local Index thread, block, grid;

namespace {

constexpr size_t STACK = 256 * 1024;
// What a block may have without asking for more.
constexpr size_t SHARED_BYTES = 48 * 1024;

struct Fiber {
    std::unique_ptr<char[]> stack{new char[STACK]};
    ucontext_t first;
    jmp_buf at;
    Index index;
    bool begun, done;
    // Of the barrier where it waits.
    const char* file;
    int line;
};

// One launch of one thread of the host.
struct Launch {
    std::vector<Fiber> fibers;
    std::unique_ptr<max_align_t[]> shared{new max_align_t[SHARED_BYTES / sizeof(max_align_t)]};
    size_t shared_used;
    std::vector<max_align_t> dynamic;
    unsigned long long blocks = 0;
    ucontext_t host;
    jmp_buf scheduler;
    Fiber* running;
    void (*body)(const void*);
    const void* arguments;
    std::string error;
};

thread_local Launch launch;

void run_fiber() {
    launch.body(launch.arguments);
    launch.running->done = true;
    _longjmp(launch.scheduler, 1);
}

// Lets a fiber run to its next barrier or to its end. Switches by jumps: they leave the signal mask
// alone, which a switch of contexts asks the system for.
void resume(Fiber& fiber) {
    launch.running = &fiber;
    thread = fiber.index;
    if (_setjmp(launch.scheduler) == 0) {
        if (fiber.begun) {
            _longjmp(fiber.at, 1);
        }
        fiber.begun = true;
        swapcontext(&launch.host, &fiber.first);
    }
}

bool fail(const char* format, const char* name, const Fiber& one, const Fiber& other) {
    char text[512];
    std::snprintf(text, sizeof text, format, name, block.x, block.y, block.z, one.index.x, one.file,
                  one.line, other.index.x, other.file ? other.file : "", other.line);
    launch.error = text;
    return false;
}

// All threads of the current block, from barrier to barrier.
bool run_block(const Kernel& kernel, std::mt19937_64& random) {
    launch.blocks++;
    launch.shared_used = 0;
    std::memset(launch.shared.get(), 0xff, SHARED_BYTES);
    std::memset(launch.dynamic.data(), 0xff, launch.dynamic.size() * sizeof(max_align_t));
    std::vector<unsigned> order(kernel.threads);
    std::iota(order.begin(), order.end(), 0u);
    for (unsigned i = 0; i < kernel.threads; i++) {
        Fiber& fiber = launch.fibers[i];
        fiber.index = Index{i, 0, 0};
        fiber.begun = fiber.done = false;
        getcontext(&fiber.first);
        fiber.first.uc_stack.ss_sp = fiber.stack.get();
        fiber.first.uc_stack.ss_size = STACK;
        fiber.first.uc_link = nullptr;
        makecontext(&fiber.first, run_fiber, 0);
    }
    for (;;) {
        std::shuffle(order.begin(), order.end(), random);
        for (unsigned i : order) {
            resume(launch.fibers[i]);
            if (!launch.error.empty()) {
                return false;
            }
        }
        Fiber* waits = nullptr;
        Fiber* ended = nullptr;
        for (unsigned i = 0; i < kernel.threads; i++) {
            Fiber& fiber = launch.fibers[i];
            if (fiber.done) {
                ended = &fiber;
            } else if (waits && (waits->file != fiber.file || waits->line != fiber.line)) {
                return fail("%s, block (%u, %u, %u): thread %u waits at %s:%d, thread %u at %s:%d",
                            kernel.name, *waits, fiber);
            } else {
                waits = &fiber;
            }
        }
        if (waits && ended) {
            ended->file = nullptr;
            return fail("%s, block (%u, %u, %u): deadlock, thread %u waits at %s:%d, thread %u has ended%s",
                        kernel.name, *waits, *ended);
        }
        if (!waits) {
            return true;
        }
    }
}

}  // namespace

void* Site::get(size_t bytes) {
    if (of_block != launch.blocks) {
        of_block = launch.blocks;
        offset = launch.shared_used;
        size_t line = alignof(max_align_t);
        launch.shared_used += (bytes + line - 1) / line * line;
        if (launch.shared_used > SHARED_BYTES) {
            launch.error = "more shared memory than a block may have";
            _longjmp(launch.scheduler, 1);
        }
    }
    return reinterpret_cast<char*>(launch.shared.get()) + offset;
}

void* dynamic() {
    return launch.dynamic.data();
}

void sync(const char* file, int line) {
    Fiber& fiber = *launch.running;
    fiber.file = file;
    fiber.line = line;
    if (_setjmp(fiber.at) == 0) {
        _longjmp(launch.scheduler, 1);
    }
}

}  // namespace shim

const shim::Kernel* tau_kernels_f32();
const shim::Kernel* tau_kernels_f64();

// Runs a kernel over the grid, blocks in random order too. Returns null, or a message that is good
// until the next launch of this thread.
extern "C" const char* tau_launch(const char* name, int is_double, size_t bytes, unsigned x,
                                  unsigned y, unsigned z, unsigned threads, size_t shared,
                                  const void* arguments, uint64_t seed) {
    using namespace shim;
    const Kernel* kernel = is_double ? tau_kernels_f64() : tau_kernels_f32();
    while (kernel && std::strcmp(kernel->name, name) != 0) {
        kernel = kernel->next;
    }
    launch.error.clear();
    if (!kernel) {
        launch.error = std::string("no kernel ") + name;
        return launch.error.c_str();
    }
    if (kernel->bytes != bytes) {
        launch.error = std::string(name) + ": arguments of " + std::to_string(bytes) +
                       " bytes, the kernel takes " + std::to_string(kernel->bytes);
        return launch.error.c_str();
    }
    if (kernel->threads != threads) {
        launch.error = std::string(name) + ": blocks of " + std::to_string(threads) +
                       " threads, the kernel wants " + std::to_string(kernel->threads);
        return launch.error.c_str();
    }
    // A guard behind it is part of what is poisoned.
    launch.dynamic.resize(shared / sizeof(max_align_t) + 1);
    if (launch.fibers.size() < kernel->threads) {
        launch.fibers.resize(kernel->threads);
    }
    launch.body = kernel->body;
    launch.arguments = arguments;
    grid = Index{x, y, z};
    std::mt19937_64 random(seed);
    std::vector<unsigned> order(x * y * z);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), random);
    for (unsigned i : order) {
        block = Index{i % x, i / x % y, i / x / y};
        if (!run_block(*kernel, random)) {
            return launch.error.c_str();
        }
    }
    return nullptr;
}

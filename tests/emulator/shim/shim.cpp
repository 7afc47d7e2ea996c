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
// Behind every piece of shared memory; nobody may write there.
constexpr size_t SHARED_GUARD = 256;
constexpr unsigned char POISON = 0xff;
// Of CUDA.
constexpr unsigned MAX_THREADS = 1024, MAX_GRID_YZ = 65535;

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
    // Of twice the size: there are guards in it.
    std::vector<unsigned char> shared = std::vector<unsigned char>(2 * SHARED_BYTES);
    // Bytes without the guards, and with them.
    size_t shared_used, shared_end;
    // Where the guards begin.
    std::vector<size_t> guards;
    std::vector<max_align_t> dynamic;
    size_t dynamic_bytes;
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

// Whether nobody wrote behind a piece of shared memory.
bool guards_are_whole(const Kernel& kernel) {
    auto whole = [](const unsigned char* guard, size_t bytes) {
        return std::all_of(guard, guard + bytes, [](unsigned char c) { return c == POISON; });
    };
    const auto* dynamic = reinterpret_cast<const unsigned char*>(launch.dynamic.data());
    bool good = whole(dynamic + launch.dynamic_bytes, SHARED_GUARD);
    for (size_t guard : launch.guards) {
        good = good && whole(launch.shared.data() + guard, SHARED_GUARD);
    }
    if (!good) {
        launch.error = std::string(kernel.name) + ": wrote behind its shared memory";
    }
    return good;
}

// All threads of the current block, from barrier to barrier.
bool run_block(const Kernel& kernel, std::mt19937_64& random) {
    launch.blocks++;
    launch.shared_used = launch.shared_end = 0;
    launch.guards.clear();
    std::memset(launch.shared.data(), POISON, launch.shared.size());
    std::memset(launch.dynamic.data(), POISON, launch.dynamic.size() * sizeof(max_align_t));
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
            return guards_are_whole(kernel);
        }
    }
}

}  // namespace

void* Site::get(size_t bytes) {
    if (of_block != launch.blocks) {
        of_block = launch.blocks;
        offset = launch.shared_end;
        size_t line = alignof(max_align_t);
        size_t room = (bytes + line - 1) / line * line;
        launch.shared_used += room;
        launch.shared_end += room + SHARED_GUARD;
        if (launch.shared_used > SHARED_BYTES || launch.shared_end > launch.shared.size()) {
            launch.error = "more shared memory than a block may have";
            _longjmp(launch.scheduler, 1);
        }
        launch.guards.push_back(offset + room);
    }
    return launch.shared.data() + offset;
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
    if (threads > MAX_THREADS || y > MAX_GRID_YZ || z > MAX_GRID_YZ) {
        launch.error = std::string(name) + ": more threads or blocks than CUDA allows";
        return launch.error.c_str();
    }
    launch.dynamic_bytes = shared;
    launch.dynamic.resize((shared + SHARED_GUARD) / sizeof(max_align_t) + 1);
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

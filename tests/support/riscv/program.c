/* Program of a processor beside the accelerator: runs recorded words, steps and samples through the
 * shipped driver, and writes what comes to a console that the testbench prints.
 */
#include "net_driver.h"
#include "other_driver.h"
#include "other_load.h"
#include "recorded.h"

#if NET_MACHINE != OTHER_MACHINE
#error "the machine cannot load the other network"
#endif

#define BASE 0x40000000u
#define CONSOLE ((volatile uint32_t *)0x20000000u)
#define DRIVER __attribute__((noinline, section(".text.driver")))

enum { EXIT, HIGH, POLLED, INTERRUPTED, VALUE, SPIKE, CLASS, COUNT, CYCLES, BYTES, LOADED };

static void print(unsigned tag, uint64_t word)
{
    CONSOLE[HIGH] = (uint32_t)(word >> 32);
    CONSOLE[tag] = (uint32_t)word;
}

static uint32_t cycle(void)
{
    uint32_t now;
    __asm__ volatile("rdcycle %0" : "=r"(now));
    return now;
}

/* The driver's functions that a user calls, once each, so that their bytes can be counted. */
DRIVER static void reset(void) { net_reset(BASE); }
DRIVER static void step(const int32_t *payload, int last, int32_t *value, uint8_t *spikes)
{
    net_step(BASE, payload, last, value, spikes);
}
DRIVER static unsigned classify(const int32_t *payload, unsigned steps)
{
    return net_classify(BASE, payload, steps);
}

/* Send recorded words; take and keep what comes, by polling the status. Returns words taken. */
static unsigned poll(const uint64_t *words, unsigned count, uint64_t *out, unsigned ends)
{
    unsigned sent = 0, taken = 0;
    while (ends > 0) {
        const uint32_t status = NET_READ32(BASE, NET_BYTES * NET_STATUS);
        if (status & NET_THERE) {
            out[taken] = net_get(BASE);
            ends -= net_kind(out[taken]) == NET_OUT_END;
            taken++;
        }
        if ((status & NET_ROOM) && sent < count) net_put(BASE, words[sent++]);
    }
    return taken;
}

static uint64_t kept[KEPT_MOST];

static void run_polled(const uint64_t *words, unsigned count, unsigned ends, unsigned tag)
{
    const uint32_t begin = cycle();
    const unsigned taken = poll(words, count, kept, ends);
    const uint32_t end = cycle();
    unsigned k;
    for (k = 0; k < taken; k++) print(tag, kept[k]);
    print(CYCLES, end - begin);
}

static volatile unsigned came, ended;

void take_interrupt(void)
{
    while (net_pending_irq(BASE) & NET_THERE) {
        kept[came] = net_get(BASE);
        ended += net_kind(kept[came]) == NET_OUT_END;
        came++;
    }
}

/* Send by polling, while the interrupt takes what comes. */
static void run_interrupted(void)
{
    unsigned sent, k;
    uint32_t begin;
    net_enable_irq(BASE, NET_THERE);
    begin = cycle();
    for (sent = 0; sent < RECORDED; sent++) {
        while (!(NET_READ32(BASE, NET_BYTES * NET_STATUS) & NET_ROOM)) {
        }
        net_put(BASE, recorded[sent]);
    }
    while (ended < ENDS) {
    }
    begin = cycle() - begin;
    net_enable_irq(BASE, 0);
    for (k = 0; k < came; k++) print(INTERRUPTED, kept[k]);
    print(CYCLES, begin);
}

static void run_steps(void)
{
    static uint8_t spikes[NET_NEURONS];
    int32_t value[NET_READOUTS];
    unsigned t, k;
    for (t = 0; t < STEPS; t++) {
        step(payloads + t * NET_INPUTS, t + 1 == STEPS, value, spikes);
        for (k = 0; k < NET_NEURONS; k++)
            if (spikes[k]) print(SPIKE, k);
        for (k = 0; k < NET_READOUTS; k++) print(VALUE, (uint32_t)value[k]);
    }
}

int main(void)
{
    extern uint8_t driver_begin[], driver_end[];
    uint32_t count[NET_COUNTERS], begin;
    unsigned k;
    print(BYTES, (uint32_t)(driver_end - driver_begin));
    reset();
    run_polled(recorded, RECORDED, ENDS, POLLED);
    net_count(BASE, count);
    for (k = 0; k < NET_COUNTERS; k++) print(COUNT, count[k]);
    reset();
    run_interrupted();
    NET_WRITE32(BASE, NET_BYTES * NET_INPUT, (uint32_t)net_event(0, 1)); /* left by the next reset */
    reset();
    run_steps();
    begin = cycle();
    print(CLASS, classify(payloads, STEPS));
    print(CYCLES, cycle() - begin);
    net_load(BASE, other_load_bytes, OTHER_LOAD_BYTES);
    run_polled(other_recorded, OTHER_RECORDED, OTHER_ENDS, LOADED);
    print(CLASS, other_classify(BASE, payloads, STEPS));
    CONSOLE[EXIT] = 0;
    return 0;
}

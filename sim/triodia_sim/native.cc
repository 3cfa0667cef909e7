// Plays a program of a bench on a machine compiled by Verilator, and logs what happens.
//
//   native PROGRAM LOG STATE SLOTS SEED PATIENCE LIMIT [MUTANT]
//
// PROGRAM is rows of five 32-bit integers: an operation and its arguments, listed in native.py. LOG
// becomes rows of eight: type, cycle, index, and up to five values. STATE becomes 64-bit words, one
// for each slot and PE at each end, or is "-". A machine on which nothing moves for
// PATIENCE cycles, or that is not through after LIMIT, ends the run with a row HANG.
#include "Vtriodia_native.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "peek.h"

enum Operation { SEND, ANSWERED, PACE, SHUT, IDLE, RESET, SETTLED, FORGET, COUNTS, NOTE };
enum Record { MARK, WORD, TAKEN, COUNTED, BROKEN, HANG };
enum Kind { EVENT, END, LOAD, READ };
struct Step {
  int32_t operation, a, b, c, d;
};

static VerilatedContext context;
static std::unique_ptr<Vtriodia_native> top;
static FILE *log_file, *state_file;
static uint64_t chance_state;
static int slots, patience;
static int64_t left;  // cycles until LIMIT
static uint32_t pace[2];
static bool lock_step, muted;
static int pending, reports, still, shut;  // ends to come; words of reports; cycles without a move

static uint32_t chance() {  // xorshift64*, the upper half
  chance_state ^= chance_state >> 12, chance_state ^= chance_state << 25;
  chance_state ^= chance_state >> 27;
  return chance_state * 2685821657736338717ull >> 32;
}

static void put(int type, int index, int a = 0, int b = 0, int c = 0, int d = 0, int e = 0) {
  int32_t row[8] = {type, int32_t(top->total), index, a, b, c, d, e};
  fwrite(row, sizeof row, 1, log_file);
}

[[noreturn]] static void finish() {
  if (top->broken) put(BROKEN, 0, top->broken, top->rule, top->at);
  fclose(log_file);
  if (state_file) fclose(state_file);
  top->final();
  _Exit(0);
}

static void dump_state() {
  for (int slot = 0; slot < slots; slot++) {
    top->peek_slot = slot, top->eval();
    for (int lane = 0; lane < LANES; lane++) {
      uint64_t word = peek(*top, lane);
      fwrite(&word, sizeof word, 1, state_file);
    }
  }
}

// One clock cycle; whether an input word was taken in it.
static bool tick() {
  top->clk = 0, top->eval();
  bool taken = top->i_valid && top->i_ready, dump = false;
  if (top->o_valid && top->o_ready && !muted) {
    bool ended = top->o_kind == 2 && pending;
    dump = ended && state_file;
    put(WORD, 0, top->o_kind, top->o_last, top->o_source, top->o_value, dump);
    still = 0, pending -= ended;
    if (top->o_kind == 3 && reports) reports--;
  }
  top->clk = 1, top->eval();
  if (dump) dump_state();
  if (shut) shut--;
  top->o_ready = !shut && (!pace[1] || chance() >= pace[1]);
  if (taken) still = 0;
  if (++still > patience || --left < 0) put(HANG, 0), finish();
  return taken;
}

static void idle(int cycles) {
  for (; cycles > 0; cycles--) tick(), still = 0;
}

static void answered() {
  while (pending || reports) tick();
}

static void send(int index, const Step &step) {
  while (pace[0] && chance() < pace[0]) tick();
  if (step.a == END && lock_step) answered();
  put(MARK, index);
  if (step.a == END || (step.a == READ && (step.c & READ_MASK) != 3)) pending++;
  if (step.a == READ && (step.c & READ_MASK) == 3) reports += 10;
  top->i_kind = step.a, top->i_last = step.b, top->i_source = step.c, top->i_payload = step.d;
  top->i_valid = 1;
  uint32_t cycle;
  do cycle = top->cycle;
  while (!tick());
  top->i_valid = 0;
  if (step.a == READ) put(TAKEN, index, cycle);
}

static void settled() {
  uint32_t before[4] = {0}, now[4];
  for (bool same = false; !same; memcpy(before, now, sizeof now)) {
    idle(64 + slots);
    uint32_t seen[4] = {top->events, top->operations, top->bus_stalls, top->output_stalls};
    memcpy(now, seen, sizeof now);
    same = !memcmp(before, now, sizeof now);
  }
}

static void reset(int cycles) {
  muted = true, top->rst = 1;
  for (int edge = 0; edge < (cycles > 3 ? cycles : 3); edge++) {
    idle(1);
    if (edge == cycles - 1) top->rst = 0;
  }
  muted = false, pending = reports = 0;
}

static void perform(int index, const Step &step) {
  if (step.operation == SEND) return send(index, step);
  if (step.operation == ANSWERED) answered();
  if (step.operation == PACE) pace[0] = step.a, pace[1] = step.b;
  if (step.operation == SHUT) shut = step.a, top->o_ready = 0;
  if (step.operation == IDLE) idle(step.a);
  if (step.operation == RESET) reset(step.a);
  if (step.operation == SETTLED) settled();
  if (step.operation == FORGET) {
    while (shut) idle(1);
    idle(64), pending = reports = 0;
  }
  put(MARK, index);
  if (step.operation == COUNTS) {
    put(COUNTED, index, top->cycles, top->events, top->operations, top->bus_stalls,
        top->output_stalls);
    put(COUNTED, index, top->cycle, top->stalls);
  }
}

int main(int argc, char **argv) {
  if (argc < 8) return 2;
  std::vector<Step> program;
  FILE *file = fopen(argv[1], "rb");
  log_file = fopen(argv[2], "wb");
  if (!file || !log_file) return perror("native"), 1;
  for (Step step; fread(&step, sizeof step, 1, file) == 1;) program.push_back(step);
  lock_step = strcmp(argv[3], "-");
  if (lock_step && !(state_file = fopen(argv[3], "wb"))) return perror("native"), 1;
  slots = atoi(argv[4]), patience = atoi(argv[6]), left = atoll(argv[7]);
  chance_state = strtoull(argv[5], nullptr, 10) * 2 + 1;
#ifdef MUTANTS
  // Yosys' `mutate` takes its initial value from a register whose output it changes: with a random
  // one, a write port could change the memory's contents before reset, whichever mutant is chosen.
  context.randReset(0);
#else
  context.randReset(2), context.randSeed(atoi(argv[5]) + 1);
#endif
  top.reset(new Vtriodia_native(&context));
#ifdef MUTANTS
  top->mutant = argc > 8 ? atoi(argv[8]) : 0;
#endif
  top->rst = 1, top->i_valid = 0, top->o_ready = 0;
  for (int k = 0; k < 4; k++) idle(1);
  top->rst = 0, top->o_ready = 1;
  for (size_t k = 0; k < program.size(); k++) perform(k, program[k]);
  finish();
}

// A board behind a pseudo-terminal: the top level as C++ (Verilator), its serial line bit by bit.
//
//   board DIVISOR FAULTS SEED
//
// Prints the terminal's name, then obeys lines on stdin: "stats" (answered by one of JSON),
// "faults RATE" (per byte, either way), "press CYCLES" (the reset button); it ends with stdin.
// The macros CLOCK, RX, TX, BUTTON are pins of the top level; RELEASED is the button's rest. A board
// without a button has no BUTTON, and "press" does nothing.
#include "Vtop.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string>
#include <termios.h>
#include <unistd.h>

static uint64_t seed = 1;

static uint64_t chance() {  // xorshift64*
  seed ^= seed >> 12, seed ^= seed << 25, seed ^= seed >> 27;
  return seed * 2685821657736338717ull;
}

static bool happens(double rate) { return rate > 0 && double(chance() >> 11) < rate * 0x1p53; }

struct Stats {
  uint64_t cycles = 0, in = 0, out = 0, flips = 0, drops = 0, doubles = 0, swaps = 0, pauses = 0;
  uint64_t lost = 0;  // bytes that the host did not take for long
};
static Stats stats;

// Disturbs bytes on their way: at `rate` a byte gets one of five faults. Bits of a byte are the ten
// on the line, start and stop too, so a flip can cost the bytes behind it.
struct Noise {
  static constexpr unsigned idle = 0x3ff;
  std::deque<unsigned> line;  // ten bits each, lowest first; a pause is a byte without start bit

  void send(uint8_t byte, double rate) {
    unsigned bits = 0x200 | byte << 1;
    if (!happens(rate)) return line.push_back(bits);
    switch (chance() % 5) {
      case 0:
        for (unsigned n = 1 + chance() % 3; n; n--) bits ^= 1u << chance() % 10;
        line.push_back(bits), stats.flips++;
        break;
      case 1:
        stats.drops++;
        break;
      case 2:
        line.push_back(bits), line.push_back(bits), stats.doubles++;
        break;
      case 3:
        line.push_back(bits);
        if (line.size() > 1) std::swap(line[line.size() - 1], line[line.size() - 2]);
        stats.swaps++;
        break;
      default:
        for (unsigned n = chance() % 64; n; n--) line.push_back(idle);
        line.push_back(bits), stats.pauses++;
    }
  }
};

class Board {
  VerilatedContext context;
  Vtop top{&context};
  const unsigned divisor;
  Noise to_board, to_host;
  unsigned rx_bits = 0, rx_left = 0, rx_timer = 0;
  unsigned tx_bits = 0, tx_left = 0, tx_timer = 0;
  uint64_t pressed = 0;

 public:
  double faults = 0;
  uint64_t quiet = 0;  // cycles since anything was on the line
  std::string out;     // for the host

  explicit Board(unsigned divisor) : divisor(divisor) {
    top.RX = 1;
    button(RELEASED);
  }

  void press(uint64_t cycles) { pressed = cycles, quiet = 0; }
  size_t pending() const { return to_board.line.size(); }

  void give(const uint8_t *bytes, ssize_t count) {
    for (ssize_t k = 0; k < count; k++) to_board.send(bytes[k], faults);
    stats.in += count, quiet = 0;
  }

  void run(unsigned cycles) {
    for (; cycles; cycles--) {
      receive();
      top.CLOCK = 0, top.eval();
      top.CLOCK = 1, top.eval();
      transmit();
      if (pressed) {
        pressed--;
        button(pressed ? !RELEASED : RELEASED);
      }
      stats.cycles++, quiet++;
    }
  }

 private:
  void button([[maybe_unused]] bool level) {
#ifdef BUTTON
    top.BUTTON = level;
#endif
  }

  void receive() {
    if (rx_timer) {
      rx_timer--;
      return;
    }
    if (!rx_left) {
      if (to_board.line.empty()) return;
      rx_bits = to_board.line.front(), rx_left = 10;
      to_board.line.pop_front();
    }
    top.RX = rx_bits & 1;
    rx_bits >>= 1, rx_left--, rx_timer = divisor - 1, quiet = 0;
    if (!rx_left && to_board.line.empty()) rx_bits = 1, rx_left = 1;  // leave the line high
  }

  void transmit() {
    bool high = top.TX;
    if (!tx_left) {
      if (!high) tx_left = 10, tx_timer = divisor / 2, tx_bits = 0;
      return;
    }
    quiet = 0;
    if (--tx_timer) return;
    tx_bits = tx_bits >> 1 | high << 9, tx_left--, tx_timer = divisor;
    if (tx_left == 9 && high) tx_left = 0;  // too short for a start bit
    else if (!tx_left && high) deliver(tx_bits >> 1 & 0xff);
  }

  void deliver(uint8_t byte) {
    to_host.send(byte, faults);
    while (!to_host.line.empty()) {
      unsigned bits = to_host.line.front();
      to_host.line.pop_front();
      if (bits == Noise::idle) continue;
      if ((bits & 0x201) == 0x200) out.push_back(char(bits >> 1)), stats.out++;
    }
  }
};

static void serve(Board &board, int terminal) {
  using clock = std::chrono::steady_clock;
  auto begin = clock::now();
  std::string command;
  uint8_t bytes[512];
  for (;;) {
    // A board on which nothing moves need not be simulated.
    bool idle = board.quiet > 300000 && !board.pending() && board.out.empty();
    pollfd files[] = {{terminal, POLLIN, 0}, {0, POLLIN, 0}};
    if (idle) poll(files, 2, -1);
    else poll(files, 2, 0);
    if (files[0].revents & POLLIN && board.pending() < 4096) {
      ssize_t count = read(terminal, bytes, sizeof bytes);
      if (count > 0) board.give(bytes, count);
    }
    if (files[1].revents) {
      ssize_t count = read(0, bytes, sizeof bytes);
      if (count <= 0) return;
      command.append((char *)bytes, count);
      for (size_t end; (end = command.find('\n')) != std::string::npos; command.erase(0, end + 1)) {
        std::string line = command.substr(0, end);
        if (line.rfind("faults ", 0) == 0) board.faults = atof(line.c_str() + 7);
        if (line.rfind("press ", 0) == 0) board.press(strtoull(line.c_str() + 6, 0, 10));
        if (line == "stats") {
          double seconds = std::chrono::duration<double>(clock::now() - begin).count();
          double cpu = double(std::clock()) / CLOCKS_PER_SEC;
          printf("{\"cycles\": %llu, \"seconds\": %.3f, \"cpu_seconds\": %.3f, "
                 "\"bytes_to_board\": %llu, \"bytes_to_host\": %llu, \"flips\": %llu, "
                 "\"drops\": %llu, \"doubles\": %llu, \"swaps\": %llu, \"pauses\": %llu, "
                 "\"lost\": %llu}\n",
                 (unsigned long long)stats.cycles, seconds, cpu, (unsigned long long)stats.in,
                 (unsigned long long)stats.out, (unsigned long long)stats.flips,
                 (unsigned long long)stats.drops, (unsigned long long)stats.doubles,
                 (unsigned long long)stats.swaps, (unsigned long long)stats.pauses,
                 (unsigned long long)stats.lost);
          fflush(stdout);
        }
      }
    }
    if (!idle || board.pending()) board.run(2048);
    if (!board.out.empty()) {
      ssize_t count = write(terminal, board.out.data(), board.out.size());
      if (count > 0) board.out.erase(0, count);
      if (board.out.size() > 1 << 16) stats.lost += board.out.size(), board.out.clear();
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int terminal, other;
  char name[256];
  if (openpty(&terminal, &other, name, nullptr, nullptr)) return perror("openpty"), 1;
  termios raw;
  tcgetattr(other, &raw), cfmakeraw(&raw), tcsetattr(other, TCSANOW, &raw);
  fcntl(terminal, F_SETFL, O_NONBLOCK);
  Board board(atoi(argv[1]));
  board.faults = atof(argv[2]);
  seed = strtoull(argv[3], nullptr, 10) * 2 + 1;
  printf("%s\n", name), fflush(stdout);
  serve(board, terminal);
  return 0;
}

# Start of a program on PicoRV32: reset at 0, interrupts at 16 (its own scheme, with q registers).
    .section .init, "ax"
    .globl _start
_start:
    la sp, stack_top
    j run

    .balign 16
    .insn r 0x0b, 2, 1, x2, sp, x0 # setq q2, sp
    la sp, interrupt_stack_top
    addi sp, sp, -64
    sw ra, 0(sp)
    sw t0, 4(sp)
    sw t1, 8(sp)
    sw t2, 12(sp)
    sw a0, 16(sp)
    sw a1, 20(sp)
    sw a2, 24(sp)
    sw a3, 28(sp)
    sw a4, 32(sp)
    sw a5, 36(sp)
    sw a6, 40(sp)
    sw a7, 44(sp)
    sw t3, 48(sp)
    sw t4, 52(sp)
    sw t5, 56(sp)
    sw t6, 60(sp)
    call take_interrupt
    lw ra, 0(sp)
    lw t0, 4(sp)
    lw t1, 8(sp)
    lw t2, 12(sp)
    lw a0, 16(sp)
    lw a1, 20(sp)
    lw a2, 24(sp)
    lw a3, 28(sp)
    lw a4, 32(sp)
    lw a5, 36(sp)
    lw a6, 40(sp)
    lw a7, 44(sp)
    lw t3, 48(sp)
    lw t4, 52(sp)
    lw t5, 56(sp)
    lw t6, 60(sp)
    .insn r 0x0b, 4, 0, sp, x2, x0 # getq sp, q2
    .insn r 0x0b, 0, 2, x0, x0, x0 # retirq

run:
    .insn r 0x0b, 6, 3, x0, x0, x0 # maskirq zero, zero: the accelerator's own enable decides
    call main
1:  j 1b

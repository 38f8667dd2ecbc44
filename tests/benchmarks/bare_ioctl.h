#ifndef HLTEST_BENCHMARKS_BARE_IOCTL_H_
#define HLTEST_BENCHMARKS_BARE_IOCTL_H_

#ifdef __cplusplus
extern "C" {
#endif

// What a test costs at the least: opens /dev/kvm, creates a VM with `memory_size` bytes and a vCPU,
// runs `mov al, 0x2a; out 0xe9, al; hlt` in real mode, reads the registers, destroys all. Returns
// AL, or -1 and says on stderr which call failed.
int bare_ioctl_cycle(unsigned long memory_size);

#ifdef __cplusplus
}
#endif

#endif

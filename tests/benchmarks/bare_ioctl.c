#include "bare_ioctl.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int failed(const char* call) {
  perror(call);
  return -1;
}

int bare_ioctl_cycle(unsigned long memory_size) {
  static const uint8_t code[] = {0xB0, 0x2A, 0xE6, 0xE9, 0xF4};
  const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) return failed("open /dev/kvm");
  const int run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  const int vm = ioctl(kvm, KVM_CREATE_VM, 0);
  if (vm < 0) return failed("KVM_CREATE_VM");

  uint8_t* memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  memcpy(memory + 0x1000, code, sizeof code);
  const struct kvm_userspace_memory_region region = {.slot = 0,
                                                     .guest_phys_addr = 0,
                                                     .memory_size = memory_size,
                                                     .userspace_addr = (uintptr_t)memory};
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
    return failed("KVM_SET_USER_MEMORY_REGION");

  const int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
  if (vcpu < 0) return failed("KVM_CREATE_VCPU");
  struct kvm_run* run = mmap(NULL, (size_t)run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  struct kvm_sregs sregs;
  ioctl(vcpu, KVM_GET_SREGS, &sregs);
  sregs.cs.selector = 0;
  sregs.cs.base = 0;
  ioctl(vcpu, KVM_SET_SREGS, &sregs);
  struct kvm_regs regs = {.rip = 0x1000, .rflags = 2};
  ioctl(vcpu, KVM_SET_REGS, &regs);

  do {
    if (ioctl(vcpu, KVM_RUN, 0) < 0) return failed("KVM_RUN");
  } while (run->exit_reason == KVM_EXIT_IO);
  ioctl(vcpu, KVM_GET_REGS, &regs);
  ioctl(vcpu, KVM_GET_SREGS, &sregs);

  munmap(run, (size_t)run_size);
  close(vcpu);
  close(vm);
  munmap(memory, memory_size);
  close(kvm);
  return (int)(regs.rax & 0xFF);
}

// Three reports as a user reads them, to be looked at when one changes: is it still readable?
#include <hltest/hltest.h>

#include <sstream>

#include "guests/broken_long.h"
#include "guests/broken_protected.h"
#include "guests/broken_real.h"

namespace {

using namespace hltest;

void expect_one_screen(const std::string& text) {
  std::istringstream lines{text};
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_LE(count, 50);
}

TEST_F(ProtectedModeTest, ReportOfATripleFault) {
  const std::string text = report(run(guests::pml4e_not_present));
  expect_one_screen(text);
  EXPECT_EQ(text, R"(pml4e_not_present ended: triple fault after #PF (page fault, vector 14, error
  code 0x0: read, supervisor, not present) on address 0x1048
at 0x1048 (CS:RIP 0008:1048, compatibility32)
pml4e_not_present.asm:7 (fault):  fault:  jmp     $
cause: the fetch from 0x1048 at CPL 0: its PML4E at 0x8000 (0x9002) is not
  present
not delivered: the IDT at 0xf0001000 is not mapped: not present

before it, with the registers that each changed:
      0x1000  ..ng_mode.inc:19  mov dword ptr [0x8000], 0x9002
      0x100a  ..ng_mode.inc:20  mov dword ptr [0x9000], 0xa003
      0x1014  ..ng_mode.inc:21  mov dword ptr [0xa000], 0x83
      0x101e  ..ng_mode.inc:22  mov eax, cr4
      0x1021  ..ng_mode.inc:23  or eax, 0x20              eax=20
      0x1024  ..ng_mode.inc:24  mov cr4, eax              cr4=20
      0x1027  ..ng_mode.inc:25  mov eax, 0x8000           eax=8000
      0x102c  ..ng_mode.inc:26  mov cr3, eax              cr3=8000
      0x102f  ..ng_mode.inc:27  mov ecx, 0xc0000080       ecx=c0000080
      0x1034  ..ng_mode.inc:28  rdmsr                     eax=0
      0x1036  ..ng_mode.inc:29  or eax, 0x100             eax=100 [PF]
      0x103b  ..ng_mode.inc:30  wrmsr                     efer=100
      0x103d  ..ng_mode.inc:31  mov eax, cr0              eax=31
      0x1040  ..ng_mode.inc:32  or eax, 0x80000000        eax=80000031 [SF]
      0x1045  ..ng_mode.inc:33  mov cr0, eax              cr0=80000031 efer=500
>     0x1048  eb fe                     jmp 0x1048
      0x104a  f4                        hlt

rax 0000000080000031  rbx 0000000000000000  rcx 00000000c0000080
rdx 0000000000000000  rsi 0000000000000000  rdi 0000000000000000
rsp 0000000000fffff0  rbp 0000000000000000  r8  0000000000000000
r9  0000000000000000  r10 0000000000000000  r11 0000000000000000
r12 0000000000000000  r13 0000000000000000  r14 0000000000000000
r15 0000000000000000
rip 1048  rflags 82 [SF]  cpl 0
cs 0008 base 0   ss 0010 base 0   ds 0010 base 0
es 0010 base 0   fs 0010 base 0   gs 0010 base 0
cr0 80000031  cr2 1048  cr3 8000  cr4 20  efer 500
gdt base f0002000 limit 6f   idt base f0001000 limit 7ff
)");
}

TEST_F(RealModeTest, ReportOfAnException) {
  const std::string text = report(run(guests::stack_runs_into_code));
  expect_one_screen(text);
  EXPECT_EQ(text, R"(stack_runs_into_code ended: #UD (invalid opcode, vector 6)
at 0x100a (CS:RIP 0000:100a, real16)
stack_runs_into_code.asm:11 (fault):  fault:  nop
cause: ff ff ff ff is not an instruction
the code at 0x100a was overwritten by `push ax` at 0x1009,
  stack_runs_into_code.asm:10: the image has `nop` there
the stack has run into the image (0x1000-0x1010): its pointer is 0x1009

before it, with the registers that each changed:
      0x1000  ..nto_code.asm:5  mov sp, 0x1011            esp=1011
      0x1003  ..nto_code.asm:6  mov ax, 0xffff            eax=ffff
      0x1006  ..nto_code.asm:7  push ax                   esp=100f
      0x1007  ..nto_code.asm:8  push ax                   esp=100d
      0x1008  ..nto_code.asm:9  push ax                   esp=100b
      0x1009  ..to_code.asm:10  push ax                   esp=1009
>     0x100a  ff                        db 0xff
      0x100b  ff                        db 0xff
      0x100c  ff                        db 0xff
      0x100d  ff                        db 0xff

eax 0000ffff  ebx 00000000  ecx 00000000  edx 00000000
esi 00000000  edi 00000000  esp 00001009  ebp 00000000
rip 100a  rflags 2 []  cpl 0
cs 0000 base 0   ss 0000 base 0   ds 0000 base 0
es 0000 base 0   fs 0000 base 0   gs 0000 base 0
cr0 10  cr2 0  cr3 0  cr4 0  efer 0
gdt base 0 limit ffff   idt base 0 limit 3ff
)");
}

TEST_F(LongModeTest, ReportOfAPageFault) {
  const std::string text = report(run(guests::write_through_null));
  expect_one_screen(text);
  EXPECT_EQ(text, R"(write_through_null ended: #PF (page fault, vector 14, error code 0x2: write,
  supervisor, not present) on address 0xffff800000000000
at 0x100a (CS:RIP 0018:100a, long64)
write_through_null.asm:4 (fault):  fault:  mov     byte [rbx], 1
cause: the write to 0xffff800000000000 at CPL 0: its PML4E at 0xf0006800 (0x0)
  is not present

before it, with the registers that each changed:
      0x1000  ..ugh_null.asm:3  mov rbx, 0xffff800000000000 rbx=ffff800000000000
>     0x100a  c6 03 01                  mov byte ptr [rbx], 0x1
      0x100d  f4                        hlt

rax 0000000000000000  rbx ffff800000000000  rcx 0000000000000000
rdx 0000000000000000  rsi 0000000000000000  rdi 0000000000000000
rsp 0000000000fffff0  rbp 0000000000000000  r8  0000000000000000
r9  0000000000000000  r10 0000000000000000  r11 0000000000000000
r12 0000000000000000  r13 0000000000000000  r14 0000000000000000
r15 0000000000000000
rip 100a  rflags 2 []  cpl 0
cs 0018 base 0   ss 0010 base 0   ds 0010 base 0
es 0010 base 0   fs 0010 base 0   gs 0010 base 0
cr0 80010033  cr2 ffff800000000000  cr3 f0006000  cr4 620  efer d00
gdt base f0002000 limit 6f   idt base f0001000 limit fff
)");
}

}  // namespace

#pragma once

#include <cstdint>

#include <hltest/x86/address.h>

/// Every fixed guest address, selector and port. NASM gets each constant here that is a plain
/// number, by its name: kCom1 is HLTEST_COM1 in a guest's source. (cmake/HltestNasmDefines.cmake
/// reads this file, so keep one constant a line.)
namespace hltest {

/// Where an image is loaded and entered unless the test says otherwise.
inline constexpr Gpa kLoadAddress{0x1000};

/// Guest memory unless the test says otherwise: 16 MiB.
inline constexpr std::uint64_t kMemorySize = 0x1000000;

// The system region: what the framework keeps in the guest's address space. RAM goes round it: RAM
// that would reach it goes on at 4 GiB, as on a PC (kHighMemory). A guest that starts in real mode
// has a small read-only one in its place, in the BIOS ROM segment.
inline constexpr Gpa kSystemRegion{0xF0000000};
inline constexpr Gpa kHighMemory{0x100000000};
inline constexpr Gpa kRomRegion{0xF0000};
inline constexpr std::uint64_t kRomSize = 0x10000;
inline constexpr std::uint16_t kRomSegment = 0xF000;

// Where a BIOS loads a boot sector.
inline constexpr Gpa kBootAddress{0x7C00};

// Offsets in the system region; the first and the IDT's in the ROM as well: 256 HLTs, one for each
// vector; one for SYSCALL in 64-bit and 32-bit code and one for SYSENTER; the IDT (in the ROM a
// spare IVT); the GDT; a TSS; a page of stack for the handlers; the LDT; the page tables.
inline constexpr std::uint64_t kHandlersOffset = 0x0;
// In the ROM: what lies from here on is the test's.
inline constexpr std::uint64_t kRomFreeOffset = 0x2000;
inline constexpr std::uint64_t kSyscallOffset = 0x100;
inline constexpr std::uint64_t kSyscall32Offset = 0x101;
inline constexpr std::uint64_t kSysenterOffset = 0x102;
inline constexpr std::uint64_t kIdtOffset = 0x1000;
inline constexpr std::uint64_t kGdtOffset = 0x2000;
inline constexpr std::uint64_t kTssOffset = 0x3000;
inline constexpr std::uint64_t kHandlerStackOffset = 0x4000;
inline constexpr Gpa kHandlerStackTop{0xF0005000};  // its end
inline constexpr std::uint64_t kLdtOffset = 0x5000;
inline constexpr std::uint64_t kPageTablesOffset = 0x6000;

// What a replay (trace/) adds to take a fault by tables of its own.
inline constexpr Gpa kReplayRegion{0xFFF80000};
inline constexpr std::uint64_t kReplayRegionSize = 0x20000;

// Three pages that KVM itself needs on Intel hosts (KVM_SET_TSS_ADDR), and its page table for real
// mode one page below, where KVM puts it by default (KVM_SET_IDENTITY_MAP_ADDR).
inline constexpr Gpa kKvmTssAddress{0xFFFBD000};
inline constexpr Gpa kKvmReserved{0xFFFBC000};

// The GDT of the start states. Its order is what SYSCALL and SYSRET want of one (SDM vol. 2,
// SYSRET): code and stack side by side, user data between user 32- and 64-bit code.
inline constexpr std::uint16_t kCode32Selector = 0x08;
inline constexpr std::uint16_t kDataSelector = 0x10;
inline constexpr std::uint16_t kCode64Selector = 0x18;
inline constexpr std::uint16_t kStackSelector = 0x20;  // the same segment as kDataSelector
inline constexpr std::uint16_t kUserCode32Selector = 0x2B;
inline constexpr std::uint16_t kUserDataSelector = 0x33;
inline constexpr std::uint16_t kUserCode64Selector = 0x3B;
inline constexpr std::uint16_t kTssSelector = 0x40;  // 16 bytes in long mode
inline constexpr std::uint16_t kCode16Selector = 0x50;
inline constexpr std::uint16_t kData16Selector = 0x58;
inline constexpr std::uint16_t kUserCode16Selector = 0x63;
inline constexpr std::uint16_t kUserData16Selector = 0x6B;
inline constexpr std::uint16_t kLdtSelector = 0x70;  // 16 bytes in long mode; null without an LDT
inline constexpr std::uint16_t kFirstFreeSelector = 0x80;

// Ports of a PC that guests use.
inline constexpr std::uint16_t kCom1 = 0x3F8;
inline constexpr std::uint16_t kCom2 = 0x2F8;
inline constexpr std::uint16_t kCom3 = 0x3E8;
inline constexpr std::uint16_t kCom4 = 0x2E8;
inline constexpr std::uint16_t kDebugConsole = 0xE9;
inline constexpr std::uint16_t kPostCode = 0x80;

// The VGA's text mode: 25 rows of 80 characters, each with an attribute byte.
inline constexpr Gpa kTextScreen{0xB8000};

}  // namespace hltest

#pragma once

#include <array>
#include <cstdint>

#include <hltest/x86/msr.h>
#include <hltest/x86/vector.h>

/// What a processor holds besides its registers, as values.
namespace hltest::internal {

/// DR0 to DR3, DR6 and DR7 (SDM vol. 3, 17.2).
struct DebugRegisters {
  std::array<std::uint64_t, 4> dr{};
  std::uint64_t dr6 = 0xFFFF'0FF0;
  std::uint64_t dr7 = 0x400;
  friend bool operator==(const DebugRegisters&, const DebugRegisters&) = default;
};

/// A model-specific register and its value.
struct MsrValue {
  Msr msr{};
  std::uint64_t value = 0;
  friend bool operator==(const MsrValue&, const MsrValue&) = default;
};

/// Exceptions and interrupts on their way to a guest (KVM_GET_VCPU_EVENTS).
struct PendingEvents {
  struct Exception {
    bool injected = false;  ///< its delivery has begun
    bool pending = false;
    std::uint8_t vector = 0;
    bool has_error_code = false;
    std::uint32_t error_code = 0;
    friend bool operator==(const Exception&, const Exception&) = default;
  };
  struct Interrupt {
    bool injected = false;
    std::uint8_t vector = 0;
    bool soft = false;        ///< asked for by INT n
    std::uint8_t shadow = 0;  ///< STI or MOV SS holds interrupts off for one instruction
    friend bool operator==(const Interrupt&, const Interrupt&) = default;
  };
  struct Nmi {
    bool injected = false;
    std::uint8_t pending = 0;
    bool masked = false;
    friend bool operator==(const Nmi&, const Nmi&) = default;
  };
  Exception exception{};
  Interrupt interrupt{};
  Nmi nmi{};
  friend bool operator==(const PendingEvents&, const PendingEvents&) = default;
};

}  // namespace hltest::internal

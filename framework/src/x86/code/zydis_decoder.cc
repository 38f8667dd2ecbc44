#include "x86/code/zydis_decoder.h"

#include <array>
#include <utility>

namespace hltest::internal {
namespace {

constexpr std::array kMnemonics = {
    std::pair{ZYDIS_MNEMONIC_AAM, Mnemonic::kAam},
    std::pair{ZYDIS_MNEMONIC_AND, Mnemonic::kAnd},
    std::pair{ZYDIS_MNEMONIC_BT, Mnemonic::kBt},
    std::pair{ZYDIS_MNEMONIC_CLI, Mnemonic::kCli},
    std::pair{ZYDIS_MNEMONIC_CLTS, Mnemonic::kClts},
    std::pair{ZYDIS_MNEMONIC_DIV, Mnemonic::kDiv},
    std::pair{ZYDIS_MNEMONIC_FXRSTOR, Mnemonic::kFxrstor},
    std::pair{ZYDIS_MNEMONIC_FXRSTOR64, Mnemonic::kFxrstor64},
    std::pair{ZYDIS_MNEMONIC_FXSAVE, Mnemonic::kFxsave},
    std::pair{ZYDIS_MNEMONIC_FXSAVE64, Mnemonic::kFxsave64},
    std::pair{ZYDIS_MNEMONIC_HLT, Mnemonic::kHlt},
    std::pair{ZYDIS_MNEMONIC_IDIV, Mnemonic::kIdiv},
    std::pair{ZYDIS_MNEMONIC_IN, Mnemonic::kIn},
    std::pair{ZYDIS_MNEMONIC_INSB, Mnemonic::kInsb},
    std::pair{ZYDIS_MNEMONIC_INSD, Mnemonic::kInsd},
    std::pair{ZYDIS_MNEMONIC_INSW, Mnemonic::kInsw},
    std::pair{ZYDIS_MNEMONIC_INT, Mnemonic::kInt},
    std::pair{ZYDIS_MNEMONIC_INT1, Mnemonic::kInt1},
    std::pair{ZYDIS_MNEMONIC_INT3, Mnemonic::kInt3},
    std::pair{ZYDIS_MNEMONIC_INTO, Mnemonic::kInto},
    std::pair{ZYDIS_MNEMONIC_INVD, Mnemonic::kInvd},
    std::pair{ZYDIS_MNEMONIC_INVLPG, Mnemonic::kInvlpg},
    std::pair{ZYDIS_MNEMONIC_IRET, Mnemonic::kIret},
    std::pair{ZYDIS_MNEMONIC_IRETD, Mnemonic::kIretd},
    std::pair{ZYDIS_MNEMONIC_IRETQ, Mnemonic::kIretq},
    std::pair{ZYDIS_MNEMONIC_LDDQU, Mnemonic::kLddqu},
    std::pair{ZYDIS_MNEMONIC_LDS, Mnemonic::kLds},
    std::pair{ZYDIS_MNEMONIC_LES, Mnemonic::kLes},
    std::pair{ZYDIS_MNEMONIC_LFS, Mnemonic::kLfs},
    std::pair{ZYDIS_MNEMONIC_LGDT, Mnemonic::kLgdt},
    std::pair{ZYDIS_MNEMONIC_LGS, Mnemonic::kLgs},
    std::pair{ZYDIS_MNEMONIC_LIDT, Mnemonic::kLidt},
    std::pair{ZYDIS_MNEMONIC_LLDT, Mnemonic::kLldt},
    std::pair{ZYDIS_MNEMONIC_LMSW, Mnemonic::kLmsw},
    std::pair{ZYDIS_MNEMONIC_LSS, Mnemonic::kLss},
    std::pair{ZYDIS_MNEMONIC_LTR, Mnemonic::kLtr},
    std::pair{ZYDIS_MNEMONIC_MOV, Mnemonic::kMov},
    std::pair{ZYDIS_MNEMONIC_MOVDQU, Mnemonic::kMovdqu},
    std::pair{ZYDIS_MNEMONIC_MOVUPD, Mnemonic::kMovupd},
    std::pair{ZYDIS_MNEMONIC_MOVUPS, Mnemonic::kMovups},
    std::pair{ZYDIS_MNEMONIC_OUT, Mnemonic::kOut},
    std::pair{ZYDIS_MNEMONIC_OUTSB, Mnemonic::kOutsb},
    std::pair{ZYDIS_MNEMONIC_OUTSD, Mnemonic::kOutsd},
    std::pair{ZYDIS_MNEMONIC_OUTSW, Mnemonic::kOutsw},
    std::pair{ZYDIS_MNEMONIC_PCMPESTRI, Mnemonic::kPcmpestri},
    std::pair{ZYDIS_MNEMONIC_PCMPESTRM, Mnemonic::kPcmpestrm},
    std::pair{ZYDIS_MNEMONIC_PCMPISTRI, Mnemonic::kPcmpistri},
    std::pair{ZYDIS_MNEMONIC_PCMPISTRM, Mnemonic::kPcmpistrm},
    std::pair{ZYDIS_MNEMONIC_RDMSR, Mnemonic::kRdmsr},
    std::pair{ZYDIS_MNEMONIC_STI, Mnemonic::kSti},
    std::pair{ZYDIS_MNEMONIC_SWAPGS, Mnemonic::kSwapgs},
    std::pair{ZYDIS_MNEMONIC_SYSCALL, Mnemonic::kSyscall},
    std::pair{ZYDIS_MNEMONIC_SYSEXIT, Mnemonic::kSysexit},
    std::pair{ZYDIS_MNEMONIC_SYSRET, Mnemonic::kSysret},
    std::pair{ZYDIS_MNEMONIC_TEST, Mnemonic::kTest},
    std::pair{ZYDIS_MNEMONIC_UD0, Mnemonic::kUd0},
    std::pair{ZYDIS_MNEMONIC_UD1, Mnemonic::kUd1},
    std::pair{ZYDIS_MNEMONIC_UD2, Mnemonic::kUd2},
    std::pair{ZYDIS_MNEMONIC_VMOVAPD, Mnemonic::kVmovapd},
    std::pair{ZYDIS_MNEMONIC_VMOVAPS, Mnemonic::kVmovaps},
    std::pair{ZYDIS_MNEMONIC_VMOVDQA, Mnemonic::kVmovdqa},
    std::pair{ZYDIS_MNEMONIC_VMOVNTDQ, Mnemonic::kVmovntdq},
    std::pair{ZYDIS_MNEMONIC_VMOVNTDQA, Mnemonic::kVmovntdqa},
    std::pair{ZYDIS_MNEMONIC_VMOVNTPD, Mnemonic::kVmovntpd},
    std::pair{ZYDIS_MNEMONIC_VMOVNTPS, Mnemonic::kVmovntps},
    std::pair{ZYDIS_MNEMONIC_WBINVD, Mnemonic::kWbinvd},
    std::pair{ZYDIS_MNEMONIC_WRMSR, Mnemonic::kWrmsr},
    std::pair{ZYDIS_MNEMONIC_XSETBV, Mnemonic::kXsetbv},
};

}  // namespace

ZydisDecoder decoder_for(CpuMode mode) {
  ZydisMachineMode machine_mode = ZYDIS_MACHINE_MODE_LONG_64;
  ZydisStackWidth stack_width = ZYDIS_STACK_WIDTH_64;
  switch (mode) {
    case CpuMode::kReal16:
    case CpuMode::kVirtual8086:
      machine_mode = ZYDIS_MACHINE_MODE_REAL_16;
      stack_width = ZYDIS_STACK_WIDTH_16;
      break;
    case CpuMode::kProtected16:
      machine_mode = ZYDIS_MACHINE_MODE_LEGACY_16;
      stack_width = ZYDIS_STACK_WIDTH_16;
      break;
    case CpuMode::kProtected32:
      machine_mode = ZYDIS_MACHINE_MODE_LEGACY_32;
      stack_width = ZYDIS_STACK_WIDTH_32;
      break;
    case CpuMode::kCompatibility16:
      machine_mode = ZYDIS_MACHINE_MODE_LONG_COMPAT_16;
      stack_width = ZYDIS_STACK_WIDTH_16;
      break;
    case CpuMode::kCompatibility32:
      machine_mode = ZYDIS_MACHINE_MODE_LONG_COMPAT_32;
      stack_width = ZYDIS_STACK_WIDTH_32;
      break;
    case CpuMode::kLong64:
      break;
  }
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, machine_mode, stack_width);
  return decoder;
}

Mnemonic mnemonic_of(const ZydisDecodedInstruction& instruction) {
  const bool is_far = instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
  switch (instruction.mnemonic) {
    case ZYDIS_MNEMONIC_CALL:
      return is_far ? Mnemonic::kCallFar : Mnemonic::kCall;
    case ZYDIS_MNEMONIC_JMP:
      return is_far ? Mnemonic::kJmpFar : Mnemonic::kJmp;
    case ZYDIS_MNEMONIC_RET:
      return is_far ? Mnemonic::kRetFar : Mnemonic::kRet;
    default:
      break;
  }
  for (const auto& [theirs, ours] : kMnemonics) {
    if (theirs == instruction.mnemonic) return ours;
  }
  return Mnemonic::kOther;
}

std::string name_of(const ZydisDecodedInstruction& instruction) {
  const std::string name = ZydisMnemonicGetString(instruction.mnemonic);
  return instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ? name + " far" : name;
}

}  // namespace hltest::internal

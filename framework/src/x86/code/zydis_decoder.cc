#include "x86/code/zydis_decoder.h"

namespace hltest {

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

}  // namespace hltest

#pragma once

#include <Zydis/Zydis.h>

#include <string>

#include <hltest/x86/cpu_mode.h>
#include "x86/code/mnemonic.h"

namespace hltest::internal {

/// Zydis' decoder for code in `mode`. For x86's own sources: nothing public includes Zydis.
ZydisDecoder decoder_for(CpuMode mode);

/// What Zydis decoded.
Mnemonic mnemonic_of(const ZydisDecodedInstruction& instruction);

/// The mnemonic in words, as in the instruction's text: `div`, `ret far`.
std::string name_of(const ZydisDecodedInstruction& instruction);

}  // namespace hltest::internal

#pragma once

#include <Zydis/Zydis.h>

#include <hltest/x86/cpu_mode.h>

namespace hltest {

/// Zydis' decoder for code in `mode`. For x86's own sources: nothing public includes Zydis.
ZydisDecoder decoder_for(CpuMode mode);

}  // namespace hltest

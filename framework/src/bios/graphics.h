#pragma once

#include "bios/bios_run.h"

namespace hltest::internal {

void write_pixel(BiosCall& call);    ///< INT 10h, AH = 0Ch
void read_pixel(BiosCall& call);     ///< AH = 0Dh
void serve_palette(BiosCall& call);  ///< AH = 10h

}  // namespace hltest::internal

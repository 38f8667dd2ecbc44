// Each rule for limits and types of segments: broken, at its boundary, satisfied.
#include <gtest/gtest.h>

#include "hand_made_guest.h"

namespace {

using namespace hltest;
using namespace hltest::internal;
using Guest = HandMadeGuest;
using Bytes = std::vector<std::uint8_t>;

constexpr Vector kGp = Vector::kGeneralProtection;
constexpr Vector kSs = Vector::kStackFault;

class SegmentRules : public ::testing::TestWithParam<CauseCase> {};
TEST_P(SegmentRules, AreTold) { expect_cause(GetParam()); }
const auto kName = [](const auto& test) { return std::string{test.param.name}; };

auto ds(std::uint32_t limit, std::uint8_t type = 3, bool db = true) {
  return [=](Guest& guest) {
    guest.registers.rbx = 0x100;
    guest.registers.ds.limit = limit;
    guest.registers.ds.type = type;
    guest.registers.ds.db = db;
  };
}
const Bytes kReadEbx = {0x8B, 0x03};   // mov eax, [ebx]
const Bytes kWriteEbx = {0x89, 0x03};  // mov [ebx], eax
const Bytes kReadByte = {0x8A, 0x03};  // mov al, [ebx]

INSTANTIATE_TEST_SUITE_P(
    Segments, SegmentRules,
    ::testing::Values(
        CauseCase{"LastByteIsTheLimit", kGp, 0, kReadEbx, ds(0x103), ""},
        CauseCase{"LastByteIsBeyond", kGp, 0, kReadEbx, ds(0x102),
                  "the 4 bytes at DS:0x100 are beyond the limit of DS, 0x102"},
        CauseCase{"OneByteBeyond", kGp, 0, kReadByte, ds(0xFF),
                  "the 1 byte at DS:0x100 is beyond the limit of DS, 0xff"},
        CauseCase{"OneByteAtTheLimit", kGp, 0, kReadByte, ds(0x100), ""},
        CauseCase{"ExpandDownAboveTheLimit", kGp, 0, kReadEbx, ds(0xFF, 7), ""},
        CauseCase{"ExpandDownAtTheLimit", kGp, 0, kReadEbx, ds(0x100, 7),
                  "the 4 bytes at DS:0x100 are beyond the limit of DS, 0x100"},
        CauseCase{"ExpandDownEndsAt64KiB", kGp, 0, kReadEbx,
                  [](Guest& guest) {
                    ds(0xFF, 7, false)(guest);
                    guest.registers.rbx = 0xFFFD;
                  },
                  "the 4 bytes at DS:0xfffd are beyond the limit of DS, 0xff"},
        CauseCase{"ExpandDownReaches64KiB", kGp, 0, kReadEbx,
                  [](Guest& guest) {
                    ds(0xFF, 7, false)(guest);
                    guest.registers.rbx = 0xFFFC;
                  },
                  ""},
        CauseCase{"ExpandDownWithBGoesOn", kGp, 0, kReadEbx,
                  [](Guest& guest) {
                    ds(0xFF, 7)(guest);
                    guest.registers.rbx = 0xFFFD;
                  },
                  ""},
        CauseCase{"ReadOnlyIsWritten", kGp, 0, kWriteEbx, ds(0xFFFF, 1),
                  "DS (0x10) is not writable: it is read-only data"},
        CauseCase{"ReadOnlyIsRead", kGp, 0, kReadEbx, ds(0xFFFF, 1), ""},
        CauseCase{"CodeIsWritten", kGp, 0, kWriteEbx, ds(0xFFFF, 0xB),
                  "DS (0x10) is not writable: it is code"},
        CauseCase{"CodeIsRead", kGp, 0, kReadEbx, ds(0xFFFF, 0xB), ""},
        CauseCase{"ConformingCodeDoesNotExpandDown", kGp, 0, kReadEbx, ds(0xFFFF, 0xF), ""},
        CauseCase{"ExecuteOnlyIsRead", kGp, 0, kReadEbx, ds(0xFFFF, 9),
                  "DS (0x10) is not readable: it is execute-only code"},
        CauseCase{"WrittenInRealMode",
                  kGp,
                  0,
                  {0x89, 0x07},
                  [](Guest& guest) {
                    guest.registers.cr0.value = 0;
                    guest.registers.ds.type = 1;
                  },
                  ""},
        CauseCase{"NullSelector", kGp, 0, kReadEbx,
                  [](Guest& guest) {
                    guest.registers.ds.unusable = true;
                    guest.registers.ds.selector = 3;
                  },
                  "DS holds a null selector (0x3), which gives no access to memory"},
        CauseCase{"PushBelowAnExpandDownLimit",
                  kSs,
                  0,
                  {0x50},
                  [](Guest& guest) {
                    guest.registers.ss.type = 7;
                    guest.registers.ss.limit = 0x7FFC;
                  },
                  "the 4 bytes at SS:0x7ffc are beyond the limit of SS, 0x7ffc"},
        CauseCase{"PushAtAnExpandDownLimit",
                  kSs,
                  0,
                  {0x50},
                  [](Guest& guest) {
                    guest.registers.ss.type = 7;
                    guest.registers.ss.limit = 0x7FFB;
                  },
                  ""},
        CauseCase{"CodeReachesBeyondCs",
                  kGp,
                  0,
                  {0xB8, 1, 0, 0, 0},
                  [](Guest& guest) { guest.registers.cs.limit = 0x9003; },
                  "the instruction at CS:0x9000 reaches beyond the limit of CS, 0x9003"},
        CauseCase{"CodeEndsAtTheLimit",
                  kGp,
                  0,
                  {0xB8, 1, 0, 0, 0},
                  [](Guest& guest) { guest.registers.cs.limit = 0x9004; },
                  ""},
        CauseCase{"RipBeyondCs",
                  kGp,
                  0,
                  {0x0F, 0x0A},
                  [](Guest& guest) { guest.registers.cs.limit = 0x8FFF; },
                  "the instruction at CS:0x9000 is beyond the limit of CS, 0x8fff"},
        CauseCase{"RipAtTheLimit",
                  kGp,
                  0,
                  {0x0F, 0x0A},
                  [](Guest& guest) { guest.registers.cs.limit = 0x9000; },
                  ""}),
    kName);

}  // namespace

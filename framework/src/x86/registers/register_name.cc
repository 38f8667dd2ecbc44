#include <hltest/x86/register_name.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace hltest {
namespace {

struct GeneralRegister {
  std::array<std::string_view, 4> names;  // 64, 32, 16 and 8 bits
  std::string_view high;                  // bits 15:8
  std::uint64_t GeneralRegisters::*field;
};

constexpr std::array kGeneral = {
    GeneralRegister{{"rax", "eax", "ax", "al"}, "ah", &GeneralRegisters::rax},
    GeneralRegister{{"rbx", "ebx", "bx", "bl"}, "bh", &GeneralRegisters::rbx},
    GeneralRegister{{"rcx", "ecx", "cx", "cl"}, "ch", &GeneralRegisters::rcx},
    GeneralRegister{{"rdx", "edx", "dx", "dl"}, "dh", &GeneralRegisters::rdx},
    GeneralRegister{{"rsi", "esi", "si", "sil"}, "", &GeneralRegisters::rsi},
    GeneralRegister{{"rdi", "edi", "di", "dil"}, "", &GeneralRegisters::rdi},
    GeneralRegister{{"rsp", "esp", "sp", "spl"}, "", &GeneralRegisters::rsp},
    GeneralRegister{{"rbp", "ebp", "bp", "bpl"}, "", &GeneralRegisters::rbp},
    GeneralRegister{{"r8", "r8d", "r8w", "r8b"}, "", &GeneralRegisters::r8},
    GeneralRegister{{"r9", "r9d", "r9w", "r9b"}, "", &GeneralRegisters::r9},
    GeneralRegister{{"r10", "r10d", "r10w", "r10b"}, "", &GeneralRegisters::r10},
    GeneralRegister{{"r11", "r11d", "r11w", "r11b"}, "", &GeneralRegisters::r11},
    GeneralRegister{{"r12", "r12d", "r12w", "r12b"}, "", &GeneralRegisters::r12},
    GeneralRegister{{"r13", "r13d", "r13w", "r13b"}, "", &GeneralRegisters::r13},
    GeneralRegister{{"r14", "r14d", "r14w", "r14b"}, "", &GeneralRegisters::r14},
    GeneralRegister{{"r15", "r15d", "r15w", "r15b"}, "", &GeneralRegisters::r15},
};

struct SegmentRegister {
  std::string_view name;
  Segment Registers::*field;
};

constexpr std::array kSegments = {
    SegmentRegister{"cs", &Registers::cs}, SegmentRegister{"ds", &Registers::ds},
    SegmentRegister{"es", &Registers::es}, SegmentRegister{"fs", &Registers::fs},
    SegmentRegister{"gs", &Registers::gs}, SegmentRegister{"ss", &Registers::ss},
};

void check_width(std::string_view name, std::uint64_t value, unsigned bits) {
  if (bits < 64 && value >> bits != 0) {
    throw RegisterError(
        fmt::format("{} = {:#x}: the value does not fit in its {} bits", name, value, bits));
  }
}

void check_mode(const GeneralRegister& general, std::string_view name, std::uint64_t value,
                CpuMode mode) {
  if (mode == CpuMode::kLong64) return;
  const bool only_in_64_bit_mode = general.names[0].size() < 3 || general.names[0][1] == '1';
  if (only_in_64_bit_mode) {
    throw RegisterError(
        fmt::format("{} = {:#x}: {} code has no {}", name, value, to_string(mode), name));
  }
  if (value >> 32U != 0) {
    throw RegisterError(fmt::format("{} = {:#x}: {} code sees 32 bits of it, and this is wider",
                                    name, value, to_string(mode)));
  }
}

bool set_general(Registers& registers, std::string_view name, std::uint64_t value, CpuMode mode) {
  for (const GeneralRegister& general : kGeneral) {
    std::uint64_t& field = registers.*general.field;
    if (!general.high.empty() && name == general.high) {
      check_width(name, value, 8);
      field = (field & ~0xFF00ULL) | value << 8U;
      return true;
    }
    for (std::size_t i = 0; i < general.names.size(); ++i) {
      if (name != general.names.at(i)) continue;
      const unsigned bits = 64U >> i;
      check_width(name, value, bits);
      check_mode(general, name, value, mode);
      const std::uint64_t kept = bits >= 32 ? 0 : ~((1ULL << bits) - 1);
      field = (field & kept) | value;
      return true;
    }
  }
  return false;
}

std::uint64_t* find_plain(Registers& registers, std::string_view name) {
  if (name == "rip") return &registers.rip;
  if (name == "rflags") return &registers.rflags.value;
  if (name == "cr0") return &registers.cr0.value;
  if (name == "cr3") return &registers.cr3.value;
  if (name == "cr4") return &registers.cr4.value;
  if (name == "cr8") return &registers.cr8;
  if (name == "efer") return &registers.efer.value;
  return nullptr;
}

bool set_other(Registers& registers, std::string_view name, std::uint64_t value, CpuMode mode) {
  if (std::uint64_t* const plain = find_plain(registers, name)) {
    const bool sized_by_mode = name == "rip" || name == "rflags";
    check_width(name, value, sized_by_mode && mode != CpuMode::kLong64 ? 32 : 64);
    *plain = value;
  } else if (name == "cr2") {
    registers.cr2 = Gva{value};
  } else if (name == "eip" || name == "eflags") {
    check_width(name, value, 32);
    (name == "eip" ? registers.rip : registers.rflags.value) = value;
  } else if (name == "ip" || name == "flags") {
    check_width(name, value, 16);
    (name == "ip" ? registers.rip : registers.rflags.value) = value;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string upper_case(std::string_view text) {
  std::string upper{text};
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

const Segment* find_segment(const Registers& registers, std::string_view name) {
  const auto* const found = std::ranges::find(kSegments, name, &SegmentRegister::name);
  return found == kSegments.end() ? nullptr : &(registers.*found->field);
}

Segment* find_segment(Registers& registers, std::string_view name) {
  const auto* const found = std::ranges::find(kSegments, name, &SegmentRegister::name);
  return found == kSegments.end() ? nullptr : &(registers.*found->field);
}

void set_register(Registers& registers, std::string_view name, std::uint64_t value, CpuMode mode) {
  const std::string lower = lower_case(name);
  if (set_general(registers, lower, value, mode) || set_other(registers, lower, value, mode)) {
    return;
  }
  throw RegisterError(fmt::format(
      "there is no register '{}' to set: general registers and their parts (al, ax, eax, rax ... "
      "r15b), rip, rflags, cs, ds, es, fs, gs, ss, cr0, cr2, cr3, cr4, cr8 and efer can be",
      name));
}

std::vector<NamedValue> named_values(const Registers& registers) {
  std::vector<NamedValue> values;
  values.reserve(kGeneral.size() + kSegments.size() + 14);
  for (const GeneralRegister& general : kGeneral) {
    values.push_back({general.names[0], registers.*general.field});
  }
  values.push_back({"rip", registers.rip});
  values.push_back({"rflags", registers.rflags.value});
  for (const SegmentRegister& segment : kSegments) {
    values.push_back({segment.name, (registers.*segment.field).selector});
  }
  values.push_back({"tr", registers.tr.selector});
  values.push_back({"ldtr", registers.ldt.selector});
  values.push_back({"gdtr", registers.gdt.base.value()});
  values.push_back({"gdtr_limit", registers.gdt.limit});
  values.push_back({"idtr", registers.idt.base.value()});
  values.push_back({"idtr_limit", registers.idt.limit});
  values.push_back({"cr0", registers.cr0.value});
  values.push_back({"cr2", registers.cr2.value()});
  values.push_back({"cr3", registers.cr3.value});
  values.push_back({"cr4", registers.cr4.value});
  values.push_back({"cr8", registers.cr8});
  values.push_back({"efer", registers.efer.value});
  return values;
}

}  // namespace hltest

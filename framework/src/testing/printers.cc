#include <hltest/printers.h>
#include <hltest/x86/register_name.h>

#include <fmt/format.h>

#include <ostream>

namespace hltest {

void PrintTo(const Access& access, std::ostream* stream) { *stream << to_string(access); }

void PrintTo(const Segment& segment, std::ostream* stream) {
  if (segment.unusable) {
    *stream << fmt::format("{:04x} unusable", segment.selector);
    return;
  }
  *stream << fmt::format("{:04x} base {} limit {:#x} type {:#x} {} dpl {}{}{}{}{}",
                         segment.selector, to_string(segment.base), segment.limit, segment.type,
                         segment.s ? "code/data" : "system", segment.dpl,
                         segment.present ? "" : " not-present", segment.l ? " L" : "",
                         segment.db ? " D/B" : "", segment.granularity ? " G" : "");
}

void PrintTo(const DescriptorTableRegister& table, std::ostream* stream) {
  *stream << fmt::format("base {} limit {:#x}", to_string(table.base), table.limit);
}

void PrintTo(const Rflags& rflags, std::ostream* stream) {
  *stream << fmt::format("{:#x} [{}]", rflags.value, to_string(rflags));
}

void PrintTo(const Cr0& cr0, std::ostream* stream) { *stream << fmt::format("{:#x}", cr0.value); }
void PrintTo(const Cr3& cr3, std::ostream* stream) { *stream << fmt::format("{:#x}", cr3.value); }
void PrintTo(const Cr4& cr4, std::ostream* stream) { *stream << fmt::format("{:#x}", cr4.value); }
void PrintTo(const Efer& efer, std::ostream* stream) {
  *stream << fmt::format("{:#x}", efer.value);
}

void PrintTo(const Vector& vector, std::ostream* stream) { *stream << mnemonic(vector); }
void PrintTo(CpuMode mode, std::ostream* stream) { *stream << to_string(mode); }

void PrintTo(const GuestTables& tables, std::ostream* stream) { *stream << to_string(tables); }
void PrintTo(const MappedRange& range, std::ostream* stream) { *stream << to_string(range); }
void PrintTo(const PageWalk& walk, std::ostream* stream) { *stream << to_string(walk); }
void PrintTo(const PageFlags& flags, std::ostream* stream) { *stream << to_string(flags); }
void PrintTo(PagingMode mode, std::ostream* stream) { *stream << to_string(mode); }
void PrintTo(const Descriptor& descriptor, std::ostream* stream) {
  *stream << to_string(descriptor);
}
void PrintTo(const Msr& msr, std::ostream* stream) { *stream << to_string(msr); }

void PrintTo(const Registers& registers, std::ostream* stream) {
  for (const NamedValue& value : named_values(registers)) {
    *stream << fmt::format("{}={:#x} ", value.name, value.value);
  }
}

void PrintTo(const GuestMemory& memory, std::ostream* stream) {
  *stream << "guest memory, " << memory.describe_ram();
}

}  // namespace hltest

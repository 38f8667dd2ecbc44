#pragma once

#include <iosfwd>

#include <hltest/access.h>
#include <hltest/memory.h>
#include <hltest/outcome.h>
#include <hltest/tables.h>

/// How gtest prints the framework's values in its messages.
namespace hltest {

void PrintTo(const Access& access, std::ostream* stream);
void PrintTo(const Segment& segment, std::ostream* stream);
void PrintTo(const DescriptorTableRegister& table, std::ostream* stream);
void PrintTo(const Rflags& rflags, std::ostream* stream);
void PrintTo(const Cr0& cr0, std::ostream* stream);
void PrintTo(const Cr3& cr3, std::ostream* stream);
void PrintTo(const Cr4& cr4, std::ostream* stream);
void PrintTo(const Efer& efer, std::ostream* stream);
void PrintTo(const Vector& vector, std::ostream* stream);
void PrintTo(CpuMode mode, std::ostream* stream);
void PrintTo(const GuestTables& tables, std::ostream* stream);
void PrintTo(const MappedRange& range, std::ostream* stream);
void PrintTo(const PageWalk& walk, std::ostream* stream);
void PrintTo(const PageFlags& flags, std::ostream* stream);
void PrintTo(PagingMode mode, std::ostream* stream);
void PrintTo(const Descriptor& descriptor, std::ostream* stream);
void PrintTo(const Msr& msr, std::ostream* stream);
void PrintTo(const Registers& registers, std::ostream* stream);
void PrintTo(const GuestMemory& memory, std::ostream* stream);

}  // namespace hltest

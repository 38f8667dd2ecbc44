#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/descriptor_table.h>

namespace hltest {

/// The GDT, LDT and IDT (in real mode the IVT) that a guest starts with: the framework's entries,
/// and those that the test put beside or in place of them.
class StartDescriptors {
 public:
  /// Those of the start state of `mode`.
  explicit StartDescriptors(CpuMode mode);

  /// Puts a descriptor into the GDT or, by the selector's TI, the LDT. Throws `DescriptorError`,
  /// also for a selector beyond 0xFFF, for the null one and for `kLdtSelector`, and in real mode.
  void set(std::uint16_t selector, const Descriptor& descriptor);
  /// Puts a gate in the place of the framework's handler for a vector. Throws `DescriptorError` for
  /// what is no gate of the start mode's (in real mode only an `IvtEntry` is one).
  void set_gate(Vector vector, const Descriptor& gate);

  /// What a load of `selector` makes of these tables; nothing where it has no present segment.
  [[nodiscard]] std::optional<Segment> segment(std::uint16_t selector) const;

  /// The GDT, with a descriptor of the LDT at `kLdtSelector` if there is one.
  [[nodiscard]] DescriptorTableBuilder gdt() const;
  [[nodiscard]] const DescriptorTableBuilder& ldt() const { return ldt_; }
  /// LDTR: null without an LDT.
  [[nodiscard]] Segment ldt_register() const;
  /// The test's gates, by vector.
  [[nodiscard]] const std::map<Vector, Descriptor>& gates() const { return gates_; }

 private:
  CpuMode mode_;
  DescriptorFormat format_;
  DescriptorTableBuilder gdt_;
  DescriptorTableBuilder ldt_;
  std::map<Vector, Descriptor> gates_;
};

}  // namespace hltest

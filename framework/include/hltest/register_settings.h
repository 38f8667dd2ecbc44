#pragma once

#include <cstdint>
#include <string_view>

#include <hltest/x86/cpu_mode.h>
#include <hltest/x86/registers.h>

namespace hltest {

/// A value that a guest starts with: a default, until the test gives one. It reads like the value;
/// a member of it is given with `->`: `registers().fs->base = Gva{0x20000}`.
template <typename T>
class Given {
 public:
  Given() = default;

  Given& operator=(const T& value) {
    value_ = value;
    is_given_ = true;
    return *this;
  }
  T* operator->() {
    is_given_ = true;
    return &value_;
  }
  const T* operator->() const { return &value_; }
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the value
  operator const T&() const { return value_; }
  [[nodiscard]] const T& value() const { return value_; }

  /// True when the test gave it.
  [[nodiscard]] bool is_given() const { return is_given_; }
  /// Changes the default, which has no effect on a value that was given.
  void set_default(const T& value) {
    if (!is_given_) value_ = value;
  }

  friend bool operator==(const Given& left, const Given& right) {
    return left.value_ == right.value_;
  }

 private:
  T value_{};
  bool is_given_ = false;
};

/// The registers that a guest starts with, each the start state's until the test gives it (see
/// `Registers` for what they are). RIP is the image's entry unless it is given.
struct RegisterSettings {
  Given<std::uint64_t> rax{}, rbx{}, rcx{}, rdx{}, rsi{}, rdi{}, rsp{}, rbp{};
  Given<std::uint64_t> r8{}, r9{}, r10{}, r11{}, r12{}, r13{}, r14{}, r15{};
  Given<std::uint64_t> rip{};
  Given<Rflags> rflags{};
  Given<Segment> cs{}, ds{}, es{}, fs{}, gs{}, ss{}, tr{}, ldt{};
  Given<DescriptorTableRegister> gdt{}, idt{};
  Given<Cr0> cr0{};
  Given<Gva> cr2{};
  Given<Cr3> cr3{};
  Given<Cr4> cr4{};
  Given<std::uint64_t> cr8{};
  Given<Efer> efer{};

  /// Gives CS, DS, ES, FS, GS and SS.
  void set_all_segments(const Segment& segment);
  /// Gives the register or part of one of this name (see `set_register`), and for a segment
  /// register what a load of the selector would do: in real mode the base becomes 16 times the
  /// selector, otherwise the hidden part is that of the start state's GDT. Throws `RegisterError`,
  /// also for a selector that is not in that GDT.
  void set(std::string_view name, std::uint64_t value, CpuMode mode);

  /// The registers with the values that they have now.
  [[nodiscard]] Registers values() const;
  void set_defaults(const Registers& defaults);

  friend bool operator==(const RegisterSettings&, const RegisterSettings&) = default;
};

}  // namespace hltest

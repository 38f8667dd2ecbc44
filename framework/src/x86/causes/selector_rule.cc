#include "x86/causes/selector_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace hltest::internal {
namespace {

template <typename Form>
concept IsCode = requires(Form form) {
  form.conforming;
};
template <typename Form>
concept IsData = requires(Form form) {
  form.writable;
};
template <typename Form>
concept IsTss = requires(Form form) {
  form.busy;
};
template <typename Form>
concept IsGate = std::is_same_v<Form, CallGate16> || std::is_same_v<Form, CallGate32> ||
    std::is_same_v<Form, CallGate64> || std::is_same_v<Form, TaskGate>;
template <typename Form>
concept HasPresent = requires(Form form) {
  form.present;
};

struct Rule {
  SelectorLoad load;

  std::string operator()(const NullDescriptor& /*null*/) const { return "it is null"; }
  std::string operator()(const ReservedDescriptor& reserved) const {
    constexpr std::uint64_t kL = 1ULL << 53U;
    constexpr std::uint64_t kD = 1ULL << 54U;
    constexpr std::uint64_t kS = 1ULL << 44U;
    const bool is_segment = (reserved.low & kS) != 0;
    if (is_segment && (reserved.low & kL) != 0 && (reserved.low & kD) != 0) {
      return "L and D are both set";
    }
    if (!is_segment && upper_type(reserved) != 0) {
      return "bits 12:8 of its last doubleword are not 0";
    }
    return wrong_type(reserved);
  }
  template <typename Form>
  std::string operator()(const Form& form) const {
    if (std::string wrong = wrong_type(form); !wrong.empty()) return wrong;
    if (std::string wrong = privilege(form); !wrong.empty()) return wrong;
    if constexpr (HasPresent<Form>) {
      if (!form.present) return "it is not present";
    }
    return {};
  }

  template <typename Form>
  [[nodiscard]] std::string wrong_type(const Form& form) const {
    switch (load.use) {
      case SelectorUse::kTransfer:
        if constexpr (IsTss<Form> || std::is_same_v<Form, TaskGate>) {
          return load.ia32e ? "IA-32e mode has no task switches" : "";
        }
        return IsCode<Form> || IsGate<Form> ? "" : "a far transfer requires code or a gate";
      case SelectorUse::kGateTarget:
        if constexpr (IsCode<Form> && !std::is_same_v<Form, Code64>) {
          return load.ia32e ? "a call gate requires 64-bit code" : "";
        }
        return IsCode<Form> ? "" : "a call gate requires code";
      case SelectorUse::kReturn:
        return IsCode<Form> ? "" : "a return requires code";
      case SelectorUse::kStack:
        if constexpr (IsData<Form>) return form.writable ? "" : "SS requires writable data";
        return "SS requires writable data";
      case SelectorUse::kData:
        if constexpr (IsCode<Form>) {
          return form.readable ? "" : "a data segment register requires data or readable code";
        }
        return IsData<Form> ? "" : "a data segment register requires data or readable code";
      case SelectorUse::kTask:
        if constexpr (IsTss<Form>) return form.busy ? "LTR requires a TSS that is not busy" : "";
        return "LTR requires a TSS";
      case SelectorUse::kLdt:
        return std::is_same_v<Form, Ldt> ? "" : "LLDT requires an LDT";
      case SelectorUse::kUnknown:
        break;
    }
    return {};
  }

  template <typename Form>
  [[nodiscard]] std::string privilege(const Form& form) const {
    const bool is_transfer = load.use == SelectorUse::kTransfer;
    if constexpr (IsCode<Form>) {
      if (is_transfer) return code_of_transfer(form);
      if (load.use == SelectorUse::kGateTarget) return code_behind_gate(form.dpl);
      if (load.use == SelectorUse::kReturn) return code_of_return(form);
      if (load.use == SelectorUse::kData && !form.conforming) return data(form.dpl);
    }
    if constexpr (IsData<Form>) {
      if (load.use == SelectorUse::kData) return data(form.dpl);
      if (load.use == SelectorUse::kStack && (form.dpl != load.cpl || load.rpl != load.cpl)) {
        return fmt::format("SS requires DPL = RPL = CPL: DPL is {}, RPL {}, CPL {}", form.dpl,
                           load.rpl, load.cpl);
      }
    }
    if constexpr (IsGate<Form> || IsTss<Form>) {
      if (is_transfer && form.dpl < std::max(load.cpl, load.rpl)) {
        return fmt::format("a {} requires a DPL of at least CPL and RPL: DPL is {}, CPL {}, RPL {}",
                           IsGate<Form> ? "gate" : "TSS", form.dpl, load.cpl, load.rpl);
      }
    }
    return {};
  }

  [[nodiscard]] std::string data(unsigned dpl) const {
    if (dpl >= std::max(load.cpl, load.rpl)) return {};
    return fmt::format(
        "a data segment requires a DPL of at least CPL and RPL: DPL is {}, CPL {}, RPL {}", dpl,
        load.cpl, load.rpl);
  }
  template <typename Form>
  [[nodiscard]] std::string code_of_transfer(const Form& form) const {
    if (form.conforming) {
      if (form.dpl <= load.cpl) return {};
      return fmt::format("conforming code requires a DPL of at most CPL: DPL is {}, CPL {}",
                         form.dpl, load.cpl);
    }
    if (form.dpl == load.cpl && load.rpl <= load.cpl) return {};
    return fmt::format("code requires DPL = CPL and RPL <= CPL: DPL is {}, CPL {}, RPL {}",
                       form.dpl, load.cpl, load.rpl);
  }
  [[nodiscard]] std::string code_behind_gate(unsigned dpl) const {
    if (dpl <= load.cpl) return {};
    return fmt::format("a call gate requires code with a DPL of at most CPL: DPL is {}, CPL {}",
                       dpl, load.cpl);
  }
  template <typename Form>
  [[nodiscard]] std::string code_of_return(const Form& form) const {
    if (form.conforming ? form.dpl <= load.rpl : form.dpl == load.rpl) return {};
    return fmt::format("a return requires {}: DPL is {}, RPL {}",
                       form.conforming ? "a DPL of at most RPL for conforming code" : "DPL = RPL",
                       form.dpl, load.rpl);
  }

  // Of a descriptor of 16 bytes, what a second descriptor would have as its type and S.
  static std::uint64_t upper_type(const ReservedDescriptor& reserved) {
    return reserved.high >> 40U & 0x1F;
  }
};

}  // namespace

std::string broken_rule(const SelectorLoad& load, const Descriptor& descriptor) {
  return std::visit(Rule{load}, descriptor);
}

}  // namespace hltest::internal

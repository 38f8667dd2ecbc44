// How descriptors read for people.
#include <hltest/x86/descriptor.h>

#include <fmt/format.h>

#include <string_view>

namespace hltest {
namespace {

struct Describer {
  std::vector<DescriptorField> fields{};

  void add(std::string_view name, std::string value) {
    fields.push_back({std::string{name}, std::move(value)});
  }
  void add_hex(std::string_view name, std::uint64_t value) {
    add(name, fmt::format("{:#x}", value));
  }
  template <typename Form>
  void add_dpl_and_present(const Form& form) {
    add("DPL", fmt::format("{}", form.dpl));
    add("present", form.present ? "yes" : "no");
    // Only where they are not what they nearly always are.
    if constexpr (requires { form.avl; }) {
      if (form.avl) add("AVL", "1");
    }
    if constexpr (requires { form.granularity; }) {
      if (form.granularity && !counts_4kib(form.limit, false)) add("G", "1");
    }
  }
  template <typename Form>
  void add_base_and_limit(const Form& form) {
    add_hex("base", form.base.value());
    add_hex("limit", form.limit);
  }
  template <typename Form>
  void add_selector_and_offset(const Form& form) {
    add_hex("selector", form.selector);
    add_hex("offset", form.offset);
  }
  template <typename Form>
  void add_code(const Form& code) {
    add("readable", code.readable ? "yes" : "no");
    add("conforming", code.conforming ? "yes" : "no");
    add_dpl_and_present(code);
  }

  void operator()(const NullDescriptor& /*null*/) { add("form", "null descriptor"); }
  template <unsigned kBits>
  void operator()(const CodeSegment<kBits>& code) {
    add("form", fmt::format("{}-bit code segment", kBits));
    add_base_and_limit(code);
    add_code(code);
  }
  void operator()(const Code64& code) {
    add("form", "64-bit code segment");
    add_code(code);
  }
  template <unsigned kBits>
  void operator()(const DataSegment<kBits>& data) {
    add("form", fmt::format("{}-bit data segment", kBits));
    add_base_and_limit(data);
    add("writable", data.writable ? "yes" : "no");
    add("expand-down", data.expand_down ? "yes" : "no");
    add_dpl_and_present(data);
  }
  void operator()(const Ldt& ldt) {
    add("form", "LDT");
    add_base_and_limit(ldt);
    add_dpl_and_present(ldt);
  }
  template <unsigned kBits>
  void operator()(const TaskStateSegment<kBits>& tss) {
    add("form", fmt::format("{}-bit TSS", kBits));
    add_base_and_limit(tss);
    add("busy", tss.busy ? "yes" : "no");
    add_dpl_and_present(tss);
  }
  template <unsigned kBits>
  void operator()(const CallGate<kBits>& gate) {
    add("form", fmt::format("{}-bit call gate", kBits));
    add_selector_and_offset(gate);
    if (kBits != 64) add("parameters", fmt::format("{}", gate.parameters));
    add_dpl_and_present(gate);
  }
  template <unsigned kBits, bool kClearsIf>
  void operator()(const IdtGateOf<kBits, kClearsIf>& gate) {
    add("form", fmt::format("{}-bit {} gate", kBits, kClearsIf ? "interrupt" : "trap"));
    add_selector_and_offset(gate);
    if (kBits == 64) add("IST", fmt::format("{}", gate.ist));
    add_dpl_and_present(gate);
  }
  void operator()(const TaskGate& gate) {
    add("form", "task gate");
    add_hex("selector", gate.selector);
    add_dpl_and_present(gate);
  }
  void operator()(const IvtEntry& entry) {
    add("form", "IVT entry");
    add("handler", fmt::format("{:04x}:{:04x}", entry.cs, entry.ip));
  }
  void operator()(const ReservedDescriptor& reserved) {
    add("form", "reserved");
    add("bytes", fmt::format("{:#018x}", reserved.low));
    if (reserved.high != 0) add("upper bytes", fmt::format("{:#018x}", reserved.high));
  }
};

}  // namespace

std::vector<DescriptorField> describe_fields(const Descriptor& descriptor) {
  Describer describer;
  std::visit([&describer](const auto& form) { describer(form); }, descriptor);
  return std::move(describer.fields);
}

std::string to_string(const Descriptor& descriptor) {
  std::string text;
  for (const DescriptorField& field : describe_fields(descriptor)) {
    if (field.value == "no") {
      text += fmt::format(", not {}", field.name);
    } else if (field.value == "yes") {
      text += fmt::format(", {}", field.name);
    } else {
      text += field.name == "form" ? field.value : fmt::format(", {} {}", field.name, field.value);
    }
  }
  return text;
}

}  // namespace hltest

#include "input.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fuzz {
namespace {

using namespace hltest;

Segment segment(FuzzedDataProvider& input) {
  return {.selector = input.ConsumeIntegral<std::uint16_t>(),
          .base = Gva{number(input)},
          .limit = static_cast<std::uint32_t>(number(input)),
          .type = input.ConsumeIntegralInRange<std::uint8_t>(0, 15),
          .dpl = input.ConsumeIntegralInRange<std::uint8_t>(0, 3),
          .s = input.ConsumeBool(),
          .present = input.ConsumeBool(),
          .avl = input.ConsumeBool(),
          .l = input.ConsumeBool(),
          .db = input.ConsumeBool(),
          .granularity = input.ConsumeBool(),
          .unusable = input.ConsumeBool()};
}

// Pages that page tables are in.
constexpr std::uint64_t kPages = 8;
constexpr std::uint64_t kPageBytes = 4096;

DescriptorTableRegister table(FuzzedDataProvider& input) {
  return {.base = Gva{number(input)}, .limit = input.ConsumeIntegral<std::uint16_t>()};
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

void require(bool holds, std::string_view promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

void require_one_line(std::string_view text) {
  if (!std::ranges::all_of(text, is_printable)) {
    std::fprintf(stderr, "text: %.*s\n", static_cast<int>(text.size()), text.data());
  }
  require(std::ranges::all_of(text, is_printable), "the text is one line of printable ASCII");
}

void require_lines(std::string_view text) {
  require(text.empty() || text.ends_with('\n'), "the last line has its end");
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    require(end != 0, "no line is empty");
    require_one_line(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
}

std::uint64_t number(FuzzedDataProvider& input) {
  return input.ConsumeBool() ? input.ConsumeIntegral<std::uint64_t>()
                             : input.ConsumeIntegral<std::uint16_t>();
}

CpuMode cpu_mode(FuzzedDataProvider& input) {
  return input.PickValueInArray({CpuMode::kReal16, CpuMode::kVirtual8086, CpuMode::kProtected16,
                                 CpuMode::kProtected32, CpuMode::kCompatibility16,
                                 CpuMode::kCompatibility32, CpuMode::kLong64});
}

Registers registers(FuzzedDataProvider& input) {
  Registers r;
  for (std::uint64_t* const each :
       {&r.rax,       &r.rbx,       &r.rcx,       &r.rdx, &r.rsi,       &r.rdi,
        &r.rsp,       &r.rbp,       &r.r8,        &r.r9,  &r.r10,       &r.r11,
        &r.r12,       &r.r13,       &r.r14,       &r.r15, &r.rip,       &r.rflags.value,
        &r.cr0.value, &r.cr3.value, &r.cr4.value, &r.cr8, &r.efer.value}) {
    *each = number(input);
  }
  r.cr2 = Gva{number(input)};
  for (Segment* const each : {&r.cs, &r.ds, &r.es, &r.fs, &r.gs, &r.ss, &r.tr, &r.ldt}) {
    *each = segment(input);
  }
  r.gdt = table(input);
  r.idt = table(input);
  return r;
}

PagingContext paging_context(FuzzedDataProvider& input) {
  PagingContext context;
  context.mode = input.PickValueInArray({PagingMode::kNone, PagingMode::k32Bit, PagingMode::kPae,
                                         PagingMode::k4Level, PagingMode::k5Level});
  std::uint64_t table = input.ConsumeIntegralInRange<std::uint64_t>(0, kPages) * kPageBytes;
  if (context.mode == PagingMode::kPae) table += input.ConsumeIntegralInRange(0U, 127U) * 32;
  context.first_table = Gpa{table};
  context.large_pages = input.ConsumeBool();
  context.no_execute = input.ConsumeBool();
  context.gigabyte_pages = input.ConsumeBool();
  context.physical_bits = input.ConsumeIntegralInRange(32U, 52U);
  return context;
}

std::vector<std::uint8_t> page_tables(FuzzedDataProvider& input) {
  std::vector<std::uint8_t> bytes(kPages * kPageBytes);
  while (input.ConsumeBool()) {
    const bool points = input.ConsumeBool();
    const std::uint64_t entry =
        points ? input.ConsumeIntegralInRange<std::uint64_t>(0, kPages) * kPageBytes |
                     (input.ConsumeIntegral<std::uint16_t>() & 0xFFFU)
               : input.ConsumeIntegral<std::uint64_t>();
    const auto index =
        input.ConsumeIntegralInRange<std::size_t>(0, bytes.size() / sizeof entry - 1);
    std::memcpy(bytes.data() + index * sizeof entry, &entry, sizeof entry);
  }
  return bytes;
}

Memory::Memory(FuzzedDataProvider& input)
    : hole_(number(input)),
      hole_size_(number(input)),
      bytes_(input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(1, 512))) {
  if (bytes_.empty()) bytes_ = {0};
}

std::vector<std::uint8_t> Memory::read(std::uint64_t address, std::size_t count) const {
  std::vector<std::uint8_t> bytes;
  for (; bytes.size() < count && address - hole_ >= hole_size_; ++address) {
    bytes.push_back(bytes_[address % bytes_.size()]);
  }
  return bytes;
}

}  // namespace fuzz

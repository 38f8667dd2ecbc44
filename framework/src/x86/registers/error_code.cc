#include "x86/registers/error_code.h"

#include <fmt/format.h>

namespace hltest::internal {
namespace {

std::string describe_page_fault(PageFaultErrorCode code) {
  return fmt::format("{}, {}, {}{}",
                     code.fetch()   ? "fetch"
                     : code.write() ? "write"
                                    : "read",
                     code.user() ? "user" : "supervisor",
                     code.present() ? "not allowed" : "not present",
                     code.reserved() ? ", reserved bit" : "");
}

std::string describe_selector(SelectorErrorCode code) {
  const char* const external = code.external() ? ", external event" : "";
  if (code.idt()) {
    return fmt::format("gate for vector {:#x}{}", static_cast<unsigned>(code.vector()), external);
  }
  if (code.selector() == 0) return code.external() ? "external event" : "";
  return fmt::format("{} selector {:#x}{}", code.ldt() ? "LDT" : "GDT", code.selector(), external);
}

}  // namespace

std::string describe_error_code(Vector vector, std::uint32_t error_code) {
  switch (vector) {
    case Vector::kPageFault:
      return describe_page_fault({error_code});
    case Vector::kInvalidTss:
    case Vector::kSegmentNotPresent:
    case Vector::kStackFault:
    case Vector::kGeneralProtection:
      return describe_selector({error_code});
    default:
      return {};
  }
}

}  // namespace hltest::internal

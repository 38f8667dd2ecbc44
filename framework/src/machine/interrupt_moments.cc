#include "machine/interrupt_moments.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include <hltest/error.h>

#include "x86/counted.h"

namespace hltest::internal {
namespace {

// DR0 to DR3.
constexpr std::size_t kMostBreakpoints = 4;

Gva address_of(const AtLabel& at, Vector vector, const FlatImage& image) {
  const std::optional<Symbol> symbol = image.source_map().symbol(at.label);
  if (symbol && symbol->offset) return Gva{(image.load_address() + *symbol->offset).value()};
  throw SetupError(fmt::format("interrupt({:#x}) at the label '{}': {} has no such label",
                               static_cast<unsigned>(vector), at.label, image.name()));
}

std::string describe(const InterruptMoment& moment) {
  return std::visit(
      [](const auto& form) -> std::string {
        using Form = std::decay_t<decltype(form)>;
        if constexpr (std::is_same_v<Form, AtHalts>) {
          return fmt::format("at {} with interrupts enabled", counted(form.times, "further HLT"));
        } else if constexpr (std::is_same_v<Form, AtAddress>) {
          return fmt::format("at {}, where the guest did not get to", to_string(form.address));
        } else if constexpr (std::is_same_v<Form, AtLabel>) {
          return fmt::format("at {}", form.label);
        } else if constexpr (std::is_same_v<Form, AfterAccesses>) {
          return fmt::format("after {} {}", form.count, form.count == 1 ? "access" : "accesses");
        } else if constexpr (std::is_same_v<Form, AfterInstructions>) {
          return "after " + counted(form.count, "instruction");
        } else {
          return "on a condition that was never true";
        }
      },
      moment);
}

}  // namespace

InterruptMoments::InterruptMoments(std::span<const WantedInterrupt> wanted,
                                   const FlatImage& image) {
  for (const WantedInterrupt& each : wanted) {
    WantedInterrupt pending = each;
    if (const auto* const label = std::get_if<AtLabel>(&each.moment)) {
      pending.moment = AtAddress{address_of(*label, each.vector, image)};
    }
    if (const auto* const at = std::get_if<AtAddress>(&pending.moment)) {
      breakpoints_.push_back(at->address);
    }
    pending_.push_back(std::move(pending));
  }
  if (breakpoints_.size() > kMostBreakpoints) {
    throw SetupError(fmt::format("interrupts at {} addresses: a processor has breakpoints for {}",
                                 breakpoints_.size(), kMostBreakpoints));
  }
  request_if([](const WantedInterrupt& each) {
    const auto* const after = std::get_if<AfterAccesses>(&each.moment);
    return after != nullptr && after->count == 0;
  });
}

template <typename HasCome>
void InterruptMoments::request_if(HasCome has_come) {
  std::erase_if(pending_, [&has_come](const WantedInterrupt& each) {
    const bool is_now = has_come(each);
    if (is_now) each.source->request();
    return is_now;
  });
}

std::vector<std::string> InterruptMoments::missed(std::span<const WantedInterrupt> wanted) const {
  std::vector<std::string> missed;
  for (const WantedInterrupt& each : pending_) {
    missed.push_back(fmt::format("the test's interrupt {:#x} did not come: it was wanted {}",
                                 static_cast<unsigned>(each.vector), describe(each.moment)));
  }
  for (const WantedInterrupt& each : wanted) {
    if (!each.source->interrupt()) continue;
    missed.push_back(fmt::format(
        "the test's interrupt {:#x} was requested, and the guest could not take it until its end",
        static_cast<unsigned>(each.vector)));
  }
  return missed;
}

void InterruptMoments::on_access(const Access& /*access*/,
                                 std::span<const MemoryWrite> /*writes*/) {
  ++accesses_;
  request_if([this](const WantedInterrupt& each) {
    const auto* const after = std::get_if<AfterAccesses>(&each.moment);
    return after != nullptr && accesses_ >= after->count;
  });
}

void InterruptMoments::on_halt(GuestView& guest) {
  const bool is_enabled = guest.registers().rflags.if_();
  for (WantedInterrupt& each : pending_) {
    auto* const halts = std::get_if<AtHalts>(&each.moment);
    const bool can_come = is_enabled || each.vector == Vector::kNonMaskableInterrupt;
    if (halts == nullptr || !can_come) continue;
    --halts->times;
    each.source->request();
  }
  std::erase_if(pending_, [](const WantedInterrupt& each) {
    const auto* const halts = std::get_if<AtHalts>(&each.moment);
    return halts != nullptr && halts->times == 0;
  });
}

bool InterruptMoments::wants_steps() const {
  return std::ranges::any_of(pending_, [](const WantedInterrupt& each) {
    return std::holds_alternative<AfterInstructions>(each.moment) ||
           std::holds_alternative<When>(each.moment);
  });
}

void InterruptMoments::on_instruction(GuestView& guest, std::uint64_t executed) {
  request_if([&](const WantedInterrupt& each) {
    if (const auto* const after = std::get_if<AfterInstructions>(&each.moment)) {
      return executed >= after->count;
    }
    const auto* const when = std::get_if<When>(&each.moment);
    return when != nullptr && when->condition(guest);
  });
  on_breakpoint(guest.registers().code_address());
}

void InterruptMoments::on_breakpoint(Gva address) {
  if (std::erase(breakpoints_, address) == 0) return;
  request_if([address](const WantedInterrupt& each) {
    const auto* const at = std::get_if<AtAddress>(&each.moment);
    return at != nullptr && at->address == address;
  });
}

}  // namespace hltest::internal

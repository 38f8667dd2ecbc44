#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <hltest/device.h>

/// What a test scripts for a guest's accesses. Each script is a device on the machine's one bus.
namespace hltest {

namespace internal {
class DeviceBus;
template <typename T>
inline constexpr bool kIsFunction = false;
template <typename Signature>
inline constexpr bool kIsFunction<std::function<Signature>> = true;
}  // namespace internal

/// A function that answers a read. It may take the access alone, or the guest too.
using Reader = std::function<std::uint64_t(const Access& access, GuestView& guest)>;
/// A function that is told of a write.
using Writer = std::function<void(const Access& access, GuestView& guest)>;

/// Makes a `Reader` of a function of the access alone; empty stays empty.
template <typename Function>
Reader reader(Function function) {
  constexpr bool kReturnsAValue =
      std::is_invocable_r_v<std::uint64_t, Function, const Access&, GuestView&> ||
      std::is_invocable_r_v<std::uint64_t, Function, const Access&>;
  static_assert(kReturnsAValue, "a function that answers a read returns what the guest reads");
  if constexpr (std::is_invocable_v<Function, const Access&, GuestView&>) {
    return Reader{std::move(function)};
  } else {
    if constexpr (internal::kIsFunction<Function>) {
      if (function == nullptr) return nullptr;
    }
    return [function = std::move(function)](const Access& access, GuestView&) mutable {
      return static_cast<std::uint64_t>(function(access));
    };
  }
}
/// The same for a `Writer`.
template <typename Function>
Writer writer(Function function) {
  if constexpr (std::is_invocable_v<Function, const Access&, GuestView&>) {
    return Writer{std::move(function)};
  } else {
    if constexpr (internal::kIsFunction<Function>) {
      if (function == nullptr) return nullptr;
    }
    return [function = std::move(function)](const Access& access, GuestView&) mutable {
      function(access);
    };
  }
}

template <typename Function>
concept AnswersAccesses = std::is_invocable_v<Function, const Access&, GuestView&> ||
    std::is_invocable_v<Function, const Access&>;

/// One answer for each IN, in order; after the last the port is a floating bus again.
struct Answers {
  std::vector<std::uint32_t> values;
  Answers(std::initializer_list<std::uint32_t> list) : values(list) {}
  explicit Answers(std::vector<std::uint32_t> list) : values(std::move(list)) {}
};

/// Bytes to be read one after the other: an IN takes as many as it is wide, lowest first. After the
/// last the port is a floating bus again, and so is what a wider IN finds missing.
struct AnswerBytes {
  std::vector<std::uint8_t> bytes;
};

/// The same answer for every IN.
struct Always {
  std::uint32_t value;
};

/// What answers the guest's IN and OUT instructions. Answers are cut to the width of the IN. An IN
/// that nobody scripted reads all ones, as a floating bus does, and the log shows it.
class PortScripts {
 public:
  explicit PortScripts(internal::DeviceBus& bus) : bus_(&bus) {}

  /// Scripts what IN reads from `port`, in place of an earlier script. Throws `SetupError` for an
  /// empty function, and for a port that a device has.
  void on_in(Port port, Answers answers);
  void on_in(Port port, AnswerBytes bytes);
  void on_in(Port port, Always answer);
  template <AnswersAccesses Function>
  void on_in(Port port, Function function) {
    on_in_call(port, reader(std::move(function)));
  }
  /// Calls a function at every OUT to `port`, in place of an earlier one. Throws likewise.
  template <AnswersAccesses Function>
  void on_out(Port port, Function function) {
    on_out_call(port, writer(std::move(function)));
  }

  /// Ends the run at the `count`th OUT to `port` (an element of OUTS counts as one). Throws
  /// `SetupError` for a count of 0.
  void stop_after_writes(Port port, std::uint64_t count);
  /// Ends the run when OUT gives `value` to `port`.
  void stop_on_write(Port port, std::uint32_t value);

 private:
  void on_in_call(Port port, Reader function);
  void on_out_call(Port port, Writer function);

  internal::DeviceBus* bus_;
};

/// What answers at a range of addresses; either may be left out, which is as if nothing were there.
struct MmioHandler {
  struct Read {
    Read() = default;
    template <AnswersAccesses Function>
    Read(Function function) : call(reader(std::move(function))) {}  // NOLINT
    Reader call = nullptr;
  };
  struct Write {
    Write() = default;
    template <AnswersAccesses Function>
    Write(Function function) : call(writer(std::move(function))) {}  // NOLINT
    Writer call = nullptr;
  };
  Read read{};
  Write write{};
};

/// What answers at guest-physical addresses that have no memory.
class MmioScripts {
 public:
  explicit MmioScripts(internal::DeviceBus& bus) : bus_(&bus) {}

  /// Puts `handler` in charge of `size` bytes from `base` on. Throws `SetupError` for an empty
  /// range and for one that overlaps another; `run` throws for one in memory.
  void attach(Gpa base, std::uint64_t size, MmioHandler handler);

 private:
  internal::DeviceBus* bus_;
};

/// What answers RDMSR and WRMSR in place of KVM: MSRs that it does not know, and those that a test
/// wants to answer itself. With a script for any, accesses to MSRs unknown to KVM are in the
/// outcome too.
class MsrScripts {
 public:
  explicit MsrScripts(internal::DeviceBus& bus) : bus_(&bus) {}

  /// RDMSR of `msr` reads this value. Throws `SetupError` for an MSR of the x2APIC (0x800 to
  /// 0x8FF), which KVM leaves to nobody, and where a VM has no room for one more: it has for 16.
  void on_read(Msr msr, std::uint64_t value);
  /// The same, by calling a function each time. What it throws ends the run and comes out of it.
  template <AnswersAccesses Function>
  void on_read(Msr msr, Function function) {
    on_read_call(msr, reader(std::move(function)));
  }
  /// WRMSR of `msr` calls a function, and does nothing else.
  template <AnswersAccesses Function>
  void on_write(Msr msr, Function function) {
    on_write_call(msr, writer(std::move(function)));
  }

 private:
  void on_read_call(Msr msr, Reader function);
  void on_write_call(Msr msr, Writer function);

  internal::DeviceBus* bus_;
};

}  // namespace hltest
